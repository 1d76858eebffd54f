/** Runs side by side, read from their folders: which they are, the tables of them, and what has to be said beside the numbers. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible, type Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { counted } from "../page/markup.ts";
import { comparisonData } from "../report/comparisonData.ts";
import { csvTable } from "../report/csv.ts";
import { prettyJson } from "../report/json.ts";
import { latexTable, markdownTable, markdownText } from "../report/markup.ts";
import type { RunResult } from "../report/result.ts";
import { summarise } from "../report/summary.ts";
import { textTable, wrapped } from "../report/table.ts";
import { readRun, type ReadRun } from "./readRun.ts";
import { names } from "./runFolder.ts";

/** Runs that were read from their folders. */
export interface Compared {
  /** Each with its folder; the title of one that has not finished its stream says how far it is. */
  readonly runs: readonly ReadRun[];
  /** What has to be said beside the numbers, in sentences. */
  readonly notes: readonly string[];
}

/** Where a folder stands between its first file and its last: no run, one that has finished no task, or one with a result. */
const standing = async (folder: string, files: Files): Promise<"none" | "begun" | "reached"> => {
  if (await files.exists(join(folder, names.result))()) return "reached";
  return (await files.exists(join(folder, names.job))()) ? "begun" : "none";
};

/** The folders of runs that a folder stands for, and of those in it that have finished no task. */
interface Found {
  readonly reached: readonly string[];
  readonly begun: readonly string[];
}

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

const unreadable = (path: string, detail: string): TE.TaskEither<Failure, never> => TE.left({ _tag: "FileUnreadable", path, detail });

/** A run itself, or the runs that a folder holds, as that of a sweep does. */
const runsIn = (folder: string, files: Files): TE.TaskEither<Failure, Found> =>
  pipe(
    TE.fromTask<"none" | "begun" | "reached", Failure>(() => standing(folder, files)),
    TE.chain((itself) => {
      if (itself === "reached") return TE.right<Failure, Found>({ reached: [folder], begun: [] });
      if (itself === "begun") return TE.right<Failure, Found>({ reached: [], begun: [folder] });
      return pipe(
        files.list(folder),
        TE.map((entries) => entries.filter(({ name, kind }) => kind === "folder" && !files.unfinished(name)).map(({ name }) => join(folder, name))),
        TE.map((inside) => [...inside].sort(inOrder)),
        TE.chain((inside) => TE.fromTask(async () => Promise.all(inside.map(async (path) => ({ path, is: await standing(path, files) }))))),
        TE.map((inside): Found => {
          const those = (wanted: string): readonly string[] => inside.filter(({ is }) => is === wanted).map(({ path }) => path);
          return { reached: those("reached"), begun: those("begun") };
        }),
        TE.chain((found) =>
          found.reached.length + found.begun.length > 0
            ? TE.right(found)
            : unreadable(folder, `it is not the folder of a run, and holds none: there is no ${names.result}`),
        ),
      );
    }),
  );

/** The folders of some kind, each once: one may be named twice, or by itself and with those beside it. */
const once = (all: readonly Found[], kind: keyof Found, files: Files): readonly string[] => [
  ...new Map(all.flatMap(({ [kind]: folders }) => folders).map((folder) => [files.absolute(folder), folder])).values(),
];

const noTaskYet = ([folder, ...others]: readonly string[]): TE.TaskEither<Failure, never> =>
  unreadable(
    folder,
    `${others.length === 0 ? "this run has finished no task" : "none of these runs has finished a task"} yet; cambium resume ${folder} goes on`,
  );

/** How far a run is, in words; undefined where it has finished its stream. */
const extent = ({ interrupted, result: { datasets }, tasks }: ReadRun): string | undefined =>
  interrupted ? (tasks === undefined ? `${counted(datasets.length, "task")} so far` : `${datasets.length} of ${tasks} tasks`) : undefined;

/** A run under a title that says how far it is. */
const titled = (run: ReadRun): ReadRun => {
  const far = extent(run);
  return far === undefined ? run : { ...run, result: { ...run.result, title: `${run.result.title ?? run.result.method} (${far})` } };
};

const listed = (folders: readonly string[]): string => folders.map((folder) => legible(folder)).join(", ");

/** What has to be said of some runs, and of folders whose runs have no result. */
const notesOn = (runs: readonly ReadRun[], begun: readonly string[]): readonly string[] => {
  const results = runs.map(({ result }) => result);
  const streams = new Set(runs.flatMap(({ interrupted, result: { datasets } }) => (interrupted ? [] : [JSON.stringify(datasets)]))).size;
  const short = runs.filter(({ interrupted }) => interrupted).map(({ folder }) => folder);
  const counted = new Set(summarise(results).flatMap((summary) => summary.runs));
  const again = runs.filter(({ result }) => !counted.has(result)).map(({ folder }) => folder);
  return [
    ...(streams > 1 ? [`These runs learned ${streams} different streams of tasks, whose numbers do not compare: each stream has a table of its own.`] : []),
    ...(short.length > 0 ? [`Not finished, and shown in tables of their own with the tasks that are: ${listed(short)}.`] : []),
    ...(begun.length > 0 ? [`Without a finished task, and left out: ${listed(begun)}.`] : []),
    ...(again.length > 0 ? [`The same method, options and seed as another run, and left out: ${listed(again)}.`] : []),
  ];
};

/**
 * Reads runs from their folders; a folder that holds the folders of runs, as that of a sweep does, stands for all of them. Runs that were stopped or go on yet
 * are there with the tasks that they have finished. Fails with `FileUnreadable` or `FileCorrupt`, which name the folder or the file.
 *
 * ```ts
 * const facts = { method: "mine", options: {}, adapter: "", trainableParameters: 1, bytesKept: 0, ranks: [], seconds: 1, zeroShot: [60, 40] };
 * for (const [seed, last] of [70, 74].entries()) {
 *   const result = report.runResult({ ...facts, seed, matrix: { datasets: ["pets", "cars"], rows: [[90, 40], [80, last]] } });
 *   await formats.writeJson(`${folder}/runs/mine-${seed}/result.json`, result)();
 * }
 * const compared = await compareRuns([`${folder}/runs`])();
 * assert.ok(compared._tag === "Right");
 * assert.equal(compared.right.runs.length, 2);
 * assert.match(comparedTable(compared.right, "markdown"), /\| mine +\|.* 76.0 ± 1.4 /);
 * ```
 */
export const compareRuns = (folders: readonly string[], { files = platform.files }: { readonly files?: Files } = {}): TE.TaskEither<Failure, Compared> =>
  pipe(
    folders,
    TE.traverseSeqArray((folder) => runsIn(folder, files)),
    TE.map((found): Found => ({ reached: once(found, "reached", files), begun: once(found, "begun", files) })),
    TE.bindTo("found"),
    TE.chainFirst(({ found: { reached, begun } }) => (reached.length === 0 && begun.length > 0 ? noTaskYet(begun) : TE.right(undefined))),
    TE.bind("runs", ({ found: { reached } }) => TE.traverseSeqArray((folder: string) => readRun(folder, files))(reached)),
    TE.map(({ found: { begun }, runs }): Compared => ({ runs: runs.map(titled), notes: notesOn(runs, begun) })),
  );

/** How a comparison can be written. */
export const tableFormats = ["text", "markdown", "latex", "csv", "json"] as const;

/** How a comparison is written. */
export type TableFormat = (typeof tableFormats)[number];

/** The comparison as plain data: its runs, a comparison for each stream, and the notes. */
export const comparedData = ({ runs, notes }: Compared): unknown => ({
  runs: runs.map(({ folder, result: { method, seed }, interrupted, tasks }) => ({ folder, method, seed, interrupted, tasks })),
  streams: comparisonData(runs.map(({ result }) => result)),
  notes,
});

type Writer = (results: readonly RunResult[], compared: Compared, columns: number | undefined) => readonly string[];

const writers: Readonly<Record<TableFormat, Writer>> = {
  text: (results, { notes }, columns = 120) => [textTable(results, columns), notes.flatMap((note) => wrapped(note, Math.max(40, columns))).join("\n")],
  markdown: (results, { notes }) => [markdownTable(results), notes.map(markdownText).join(" ")],
  latex: (results, { notes }) => [latexTable(results), notes.map((note) => `% ${note}`).join("\n")],
  csv: (results) => [csvTable(results).trimEnd()],
  json: (_, compared) => [prettyJson(comparedData(compared))],
};

/**
 * The comparison of runs as a table, with the notes below it; CSV has none. Seeds of one method with the same options are one row, with mean and sample
 * standard deviation; runs of different streams stand in tables of their own. Text has at most `columns` characters a line, 120 unless given.
 */
export const comparedTable = (compared: Compared, format: TableFormat = "text", columns?: number): string =>
  writers[format](
    compared.runs.map(({ result }) => result),
    compared,
    columns,
  )
    .filter((part) => part !== "")
    .join("\n\n");
