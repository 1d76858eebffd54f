/** Runs side by side, read from their folders: which they are, the tables of them, and what has to be said beside the numbers. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as RA from "fp-ts/lib/ReadonlyArray.js";
import type { Separated } from "fp-ts/lib/Separated.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible, type Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { counted } from "../page/markup.ts";
import { comparisonData } from "../report/comparisonData.ts";
import { csvTable } from "../report/csv.ts";
import { latexTable, markdownTable, markdownText } from "../report/markup.ts";
import type { RunResult } from "../report/result.ts";
import { summarise } from "../report/summary.ts";
import { textTable, wrapped } from "../report/table.ts";
import { readRun, type ReadRun } from "./readRun.ts";
import { runsIn, together } from "./runsIn.ts";

/** Runs that were read from their folders. */
export interface Compared {
  /** Each with its folder; the title of one that has not finished its stream says how far it is. */
  readonly runs: readonly ReadRun[];
  /** What has to be said beside the numbers, in sentences. */
  readonly notes: readonly string[];
}

const unreadable = (path: string, detail: string): TE.TaskEither<Failure, never> => TE.left({ _tag: "FileUnreadable", path, detail });

/** Each path once: one may be named twice, or by itself and with those beside it. */
const once = (paths: readonly string[], files: Files): readonly string[] => [...new Map(paths.map((path) => [files.absolute(path), path])).values()];

/** Whether a path is there and no folder. */
const isFile = async (path: string, files: Files): Promise<boolean> => (await files.exists(path)()) && E.isLeft(await files.list(path)());

/** Paths that are looked into, and files beside them, as `runs/*` names them, that are passed over. */
const apart = async (paths: readonly string[], files: Files): Promise<Separated<readonly string[], readonly string[]>> => {
  const kinds = await Promise.all(paths.map(async (path) => ((await isFile(path, files)) ? E.left(path) : E.right(path))));
  const { left: passed, right: looked } = RA.separate(kinds);
  return looked.length === 0 ? { left: [], right: paths } : { left: passed, right: looked };
};

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
const notesOn = (runs: readonly ReadRun[], begun: readonly string[], passed: readonly string[]): readonly string[] => {
  const results = runs.map(({ result }) => result);
  const streams = new Set(runs.flatMap(({ interrupted, result: { datasets } }) => (interrupted ? [] : [JSON.stringify(datasets)]))).size;
  const short = runs.filter(({ interrupted }) => interrupted).map(({ folder }) => folder);
  const counted = new Set(summarise(results).flatMap((summary) => summary.runs));
  const again = runs.filter(({ result }) => !counted.has(result)).map(({ folder }) => folder);
  return [
    ...(streams > 1 ? [`These runs learned ${streams} different streams of tasks, whose numbers do not compare: each stream has a table of its own.`] : []),
    ...(short.length > 0 ? [`Not finished, and shown in tables of their own with the tasks that are: ${listed(short)}.`] : []),
    ...(begun.length > 0 ? [`Without a finished task, and left out: ${listed(begun)}.`] : []),
    ...(passed.length > 0 ? [`No ${passed.length === 1 ? "folder" : "folders"}, and passed over: ${listed(passed)}.`] : []),
    ...(again.length > 0 ? [`The same method, options and seed as another run, and left out: ${listed(again)}.`] : []),
  ];
};

/**
 * Reads runs from their folders; a folder that holds runs, as that of a sweep does, or sweeps, stands for all of them. Files beside folders are passed over,
 * which a note says. Runs that were stopped or go on yet
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
    TE.fromTask<Separated<readonly string[], readonly string[]>, Failure>(() => apart(folders, files)),
    TE.bindTo("apart"),
    TE.bind("found", ({ apart: { right: looked } }) =>
      pipe(
        looked,
        TE.traverseSeqArray((folder) => runsIn(folder, files)),
        TE.map(together),
      ),
    ),
    TE.bind("begun", ({ found: { begun } }) => TE.right(once(begun, files))),
    TE.chainFirst(({ found: { reached }, begun }) => (reached.length === 0 && begun.length > 0 ? noTaskYet(begun) : TE.right(undefined))),
    TE.bind("runs", ({ found: { reached } }) => TE.traverseSeqArray((folder: string) => readRun(folder, files))(once(reached, files))),
    TE.map(({ apart: { left: passed }, begun, runs }): Compared => ({ runs: runs.map(titled), notes: notesOn(runs, begun, passed) })),
  );

/** How a comparison can be written. */
export const tableFormats = ["text", "markdown", "latex", "csv"] as const;

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
