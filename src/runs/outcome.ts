/** What a run over a stream leaves behind: the files of its folder, and its last lines on stdout. */
import { join } from "node:path";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import { writeText } from "../../src/formats/files.ts";
import { fixed } from "../../src/report/format.ts";
import { htmlReport } from "../../src/report/html.ts";
import { prettyJson } from "../../src/report/json.ts";
import { classIncremental, type ClassIncremental } from "../../src/report/metrics.ts";
import type { RunResult } from "../../src/report/result.ts";
import { textTable } from "../../src/report/table.ts";
import { writeLearner } from "../../src/runs/checkpoint.ts";
import type { Run } from "../../src/runs/run.ts";
import type { Stream } from "../../src/data/task.ts";

/** A run, with the metrics of class-incremental learning where it was scored among the classes learned so far. */
export interface Outcome {
  readonly run: Run;
  readonly sessions: ClassIncremental | undefined;
}

/** The metrics of class-incremental learning, where a run was scored among the classes learned so far. */
const incremental = ({ tasks, labelSpace }: Stream, { datasets, matrix, also }: RunResult): TE.TaskEither<Failure, ClassIncremental | undefined> => {
  const rows = labelSpace === "seen" ? matrix : also.seen?.matrix;
  if (rows === undefined) return TE.right(undefined);
  return pipe(
    tasks,
    TE.traverseSeqArray((task) => task.test),
    TE.map((splits) => classIncremental(splits.map((split) => split.length))({ datasets, rows })),
  );
};

/** Writes `result.json`, `report.html` and `model/` into a folder; `facts` stand above the report. */
export const writeOutcome = (
  folder: string,
  run: Run,
  stream: Stream,
  skipped: number,
  facts: Readonly<Record<string, string>>,
): TE.TaskEither<Failure, Outcome> => {
  const { result, interrupted, learner } = run;
  return pipe(
    incremental(stream, result),
    TE.chainFirst((sessions) => writeText(join(folder, "result.json"), `${prettyJson({ ...result, classIncremental: sessions, skipped, interrupted })}\n`)),
    TE.chainFirst(() => writeText(join(folder, "report.html"), htmlReport([result], { facts }))),
    TE.chainFirst(() => writeLearner(join(folder, "model"), learner)),
    TE.map((sessions) => ({ run, sessions })),
  );
};

/** A row of the table for every label space. */
const inEverySpace = (result: RunResult): readonly RunResult[] => [
  result,
  ...Object.entries(result.also).map(([space, scores]) => ({ ...result, ...scores, method: `${result.method}, ${space}` })),
];

/** The last lines of a run over so many tasks: its table, and what stands in its folder. */
export const summary = ({ run: { result, interrupted }, sessions }: Outcome, tasks: number, out: string): string => {
  const [final, mean] = [sessions?.final, sessions?.mean].map((x) => fixed(1)(x ?? null));
  return [
    ...(interrupted ? [`Stopped on request: ${result.datasets.length} of ${tasks} tasks were finished, and all that follows is about these.\n`] : []),
    `\n${textTable(inEverySpace(result))}\n`,
    ...(sessions === undefined ? [] : [`\nAmong the classes learned so far: ${final} % after the last task, ${mean} % in the mean after each.\n`]),
    `\nwritten to ${out}: result.json, log.jsonl, report.html, model/\n`,
  ].join("");
};
