/** What a run leaves behind: its result and its report, as files and as the last lines of a command. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { writeText } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { fixed } from "../report/format.ts";
import { htmlReport } from "../page/html.ts";
import { prettyJson } from "../report/json.ts";
import { classIncremental, type ClassIncremental } from "../report/classIncremental.ts";
import type { RunResult } from "../report/result.ts";
import { textTable } from "../report/table.ts";
import type { Job } from "./job.ts";
import type { Run } from "./run.ts";
import { names } from "./runFolder.ts";

/** A run that has ended, with the metrics of class-incremental learning where it was scored among the classes learned so far. */
export interface Outcome extends Run {
  readonly sessions: ClassIncremental | undefined;
  /** Samples that were left out. */
  readonly skipped: number;
  /** Tasks of its stream. */
  readonly tasks: number;
  /** Where its files are, and the folder of its learner. */
  readonly folder: string;
  readonly model: string;
}

/** What a result says of a job beside the options of its method. */
export const factsOf = ({ model, source, probes, shots, evaluate, evalLimit, onCorrupt, facts }: Job, { labelSpace }: Stream) => ({
  evaluate: undefined,
  model,
  ...("folders" in source
    ? { data: source.folders, ...(source.split === undefined ? {} : { split: source.split }) }
    : { preset: source.protocol, dataRoot: source.root }),
  ...(probes === undefined ? {} : { probes }),
  shots: shots ?? null,
  ...facts,
  labelSpace,
  ...evaluate,
  evalLimit: evalLimit ?? null,
  onCorrupt,
});

/** The metrics of class-incremental learning, where a run was scored among the classes learned so far; tasks weigh by the images that were scored. */
const incremental = (
  { tasks, labelSpace }: Stream,
  { datasets, matrix, also }: RunResult,
  skipped: readonly string[],
): TE.TaskEither<Failure, ClassIncremental | undefined> => {
  const rows = labelSpace === "seen" ? matrix : also.seen?.matrix;
  if (rows === undefined) return TE.right(undefined);
  const out = new Set(skipped);
  return pipe(
    tasks,
    TE.traverseSeqArray((task) => task.test),
    TE.map((splits) => classIncremental(splits.map((split) => split.filter(({ id }) => !out.has(id)).length))({ datasets, rows })),
  );
};

/**
 * Writes `result.json`, `answers.json` and `report.html` of a run, or of what it has reached so far; `skipped` are the ids of samples that were left out, and
 * `facts` stand above the report.
 */
export const writeResult = (
  folder: string,
  { result, answers, interrupted }: Run,
  stream: Stream,
  skipped: readonly string[],
  facts: Readonly<Record<string, string>>,
  files: Files,
): TE.TaskEither<Failure, ClassIncremental | undefined> =>
  pipe(
    incremental(stream, result, skipped),
    TE.chainFirst((sessions) =>
      writeText(join(folder, names.result), `${prettyJson({ ...result, classIncremental: sessions, skipped: skipped.length, interrupted })}\n`, files),
    ),
    TE.chainFirst(() => writeText(join(folder, names.answers), `${prettyJson(answers)}\n`, files)),
    TE.chainFirst(() => writeText(join(folder, names.report), htmlReport([result], { facts }), files)),
  );

/** The last lines of a run: its table, and what stands in its folder, which its user calls `out`; lines have at most `columns` characters. */
export const summary = ({ result, interrupted, sessions, tasks, model, folder }: Outcome, out: string, columns?: number): string => {
  const [final, mean] = [sessions?.final, sessions?.mean].map((x) => fixed(1)(x ?? null));
  const learner = model.slice(folder.length + 1);
  return [
    ...(interrupted
      ? [`Stopped on request: ${result.datasets.length} of ${tasks} tasks were finished, and all that follows is about these. cambium resume ${out} goes on.\n`]
      : []),
    `\n${textTable([result], columns)}\n`,
    ...(sessions === undefined || sessions.final === null
      ? []
      : [`\nAmong the classes learned so far: ${final} % after the last task, ${mean} % in the mean after each.\n`]),
    `\nwritten to ${out}: ${[names.result, names.answers, names.log, names.report].join(", ")}, ${learner}/\n`,
  ].join("");
};
