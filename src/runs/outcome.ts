/** What a run leaves behind: its result and its report, as files and as the last lines of a command. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { isAnswerStream, type Stream } from "../data/task.ts";
import { printable } from "../data/leftOut.ts";
import type { Failure } from "../failure.ts";
import { writeText } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { fixed } from "../report/format.ts";
import type { Pictures } from "../page/gallery.ts";
import { htmlReport } from "../page/html.ts";
import { prettyJson } from "../report/json.ts";
import { classIncremental, maa, type ClassIncremental } from "../report/classIncremental.ts";
import type { RunResult } from "../report/result.ts";
import type { RunReport } from "../report/runReport.ts";
import { textTable } from "../report/table.ts";
import type { Method } from "../stages/learn.ts";
import type { Job } from "./job.ts";
import { galleryPictures } from "./pictures.ts";
import { readLosses } from "./readRun.ts";
import type { Run } from "./run.ts";
import { names } from "./runFolder.ts";

/** A run that has ended, with the metrics of class-incremental learning where it was scored among the classes learned so far. */
export interface Outcome extends Run {
  readonly sessions: ClassIncremental | undefined;
  /** Samples that were left out. */
  readonly skipped: number;
  /** Tasks of its stream. */
  readonly tasks: number;
  /** Whether its predictions are among its files. */
  readonly predictions: boolean;
  /** Where its files are, and the folder of its learner. */
  readonly folder: string;
  readonly model: string;
}

/** What a result says of a job beside the options of its method. */
export const factsOf = (
  { model, source, pixels, probes, reference, shots, evaluate, evalLimit, chat, context, maxTokens, precision, accumulate, recompute, onCorrupt, facts }: Job,
  { labelSpace }: Pick<Stream, "labelSpace">,
  { reference: distils = false }: Pick<Method, "reference">,
) => ({
  evaluate: undefined,
  model,
  ...("folders" in source
    ? { data: source.folders, ...(source.split === undefined ? {} : { split: source.split }) }
    : {
        preset: source.protocol,
        ...(source.root === undefined ? { data: source.datasets } : { dataRoot: source.root }),
        ...(source.order === undefined ? {} : { order: source.order }),
        ...(source.classOrder === undefined ? {} : { classOrder: source.classOrder }),
      }),
  ...(pixels === undefined ? {} : { pixels }),
  ...(probes === undefined ? {} : { probes }),
  // One that its method has no use for says nothing of the run.
  ...(reference === undefined || !distils ? {} : { reference }),
  shots: shots ?? null,
  ...facts,
  labelSpace,
  ...evaluate,
  evalLimit: evalLimit ?? null,
  ...(chat === undefined ? {} : { chat }),
  ...(context === undefined ? {} : { context }),
  ...(maxTokens === undefined ? {} : { maxTokens }),
  ...(precision === undefined ? {} : { precision }),
  ...(accumulate === undefined ? {} : { accumulate }),
  ...(recompute === undefined ? {} : { recompute }),
  onCorrupt,
});

/** The metrics of class-incremental learning, where a run was scored among the classes learned so far; tasks weigh by the images that were scored. */
const incremental = (
  stream: Stream,
  { datasets, matrix, also }: RunResult,
  skipped: readonly string[],
): TE.TaskEither<Failure, ClassIncremental | undefined> => {
  const rows = stream.labelSpace === "seen" ? matrix : also.seen?.matrix;
  if (rows === undefined || isAnswerStream(stream)) return TE.right(undefined);
  const out = new Set(skipped);
  return pipe(
    stream.tasks,
    TE.traverseSeqArray((task) => task.test),
    TE.map((splits) => classIncremental(splits.map((split) => split.filter(({ id }) => !out.has(id)).length))({ datasets, rows })),
  );
};

/** What papers on tasks that are answered in words report beside the metrics that every result has. */
const answeredMetrics = (stream: Stream, { datasets, matrix }: RunResult): { readonly maa?: number | null } =>
  isAnswerStream(stream) ? { maa: maa({ datasets, rows: matrix }) } : {};

/** The metrics of a run over tasks that are answered in words, under the names that papers give them there; nothing where nothing was learned. */
const answeredLine = ({ learned, last, bwt, datasets, matrix }: RunResult): string => {
  if (learned === null) return "";
  const named = { MFT: learned, MFN: last, MAA: maa({ datasets, rows: matrix }), BWT: bwt };
  return `\n${Object.entries(named)
    .map(([name, value]) => `${name} ${fixed(1)(value)}`)
    .join(", ")}\n`;
};

/**
 * Writes `result.json` and `answers.json`, or `replies.json`, of a run, or of what it has reached so far; `skipped` are the ids of samples that were left out.
 */
export const writeFigures = (
  folder: string,
  { result, answers, replies = [], interrupted }: Run,
  stream: Stream,
  skipped: readonly string[],
  files: Files,
): TE.TaskEither<Failure, ClassIncremental | undefined> =>
  pipe(
    incremental(stream, result, skipped),
    TE.chainFirst((sessions) => {
      const counts = { skipped: skipped.length, tasks: stream.tasks.length, interrupted };
      const all = { ...result, classIncremental: sessions, ...answeredMetrics(stream, result), ...counts };
      return writeText(join(folder, names.result), `${prettyJson(all)}\n`, files);
    }),
    TE.chainFirst(() => {
      const [name, all] = isAnswerStream(stream) ? [names.replies, replies] : [names.answers, answers];
      return writeText(join(folder, name), `${prettyJson(all)}\n`, files);
    }),
  );

/** The page of a run; of one that has not finished its stream it says how far it is. */
const pageOf = (report: RunReport, { tasks }: Stream, facts: Readonly<Record<string, string>>, pictures?: Pictures): string => {
  const finished = report.result.datasets.length;
  return htmlReport([report], { facts: { ...facts, ...(finished < tasks.length ? { Finished: `${finished} of ${tasks.length} tasks` } : {}) }, pictures });
};

/** Writes the figures of a run that goes on, and its `report.html`; `facts` stand above the report. */
export const writeResult = (
  folder: string,
  run: Run,
  stream: Stream,
  skipped: readonly string[],
  facts: Readonly<Record<string, string>>,
  files: Files,
): TE.TaskEither<Failure, ClassIncremental | undefined> =>
  pipe(
    writeFigures(folder, run, stream, skipped, files),
    TE.chainFirst(() => writeText(join(folder, names.report), pageOf(run, stream, facts), files)),
  );

/** Writes `report.html` of a run that has ended, with what is only worth reading then: the losses in its log, and pictures. */
export const writePage = (
  folder: string,
  { result, answers, replies }: Run,
  stream: Stream,
  facts: Readonly<Record<string, string>>,
  files: Files,
): TE.TaskEither<Failure, void> => {
  return pipe(
    TE.fromTask<RunReport["losses"], Failure>(readLosses(folder, files)),
    TE.map((losses): RunReport => ({ result, answers, replies, losses })),
    TE.bindTo("report"),
    TE.bind("pictures", ({ report }) => TE.fromTask(galleryPictures(stream, [report]))),
    TE.chain(({ report, pictures }) => writeText(join(folder, names.report), pageOf(report, stream, facts, pictures), files)),
  );
};

/** How well a run still continues the answers of its probes, a line each. */
const perplexities = ({ probes }: RunResult): readonly string[] =>
  probes.flatMap(({ name, perplexity }) => {
    const [before, last] = [perplexity?.zeroShot ?? null, perplexity?.after.at(-1) ?? null];
    return before === null || last === null ? [] : [`\nThe perplexity of ${printable(name)}: ${fixed(2)(before)} before, ${fixed(2)(last)} at the end.\n`];
  });

/** The last lines of a run: its table, and what stands in its folder, which its user calls `out`; lines have at most `columns` characters. */
export const summary = ({ result, replies, interrupted, sessions, tasks, predictions, model, folder }: Outcome, out: string, columns?: number): string => {
  const [final, mean] = [sessions?.final, sessions?.mean].map((x) => fixed(1)(x ?? null));
  const learner = model.slice(folder.length + 1);
  const reached = result.datasets.length;
  const finished = `${reached} of ${tasks} tasks ${reached === 1 ? "was" : "were"}`;
  const files = [names.result, replies === undefined ? names.answers : names.replies, names.log, ...(predictions ? [names.predictions] : []), names.report];
  return [
    ...(interrupted
      ? [`Stopped on request: ${finished} finished, and all that follows is about ${reached === 1 ? "it" : "these"}. cambium resume ${out} goes on.\n`]
      : []),
    `\n${textTable([result], columns)}\n`,
    ...(sessions === undefined || sessions.final === null
      ? []
      : [`\nAmong the classes learned so far: ${final} % after the last task, ${mean} % in the mean after each.\n`]),
    replies === undefined ? "" : answeredLine(result),
    ...perplexities(result),
    `\nwritten to ${out}: ${files.join(", ")}, ${learner}/\n`,
  ].join("");
};
