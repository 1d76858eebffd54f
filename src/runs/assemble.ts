/** The result of a run, from the reports of its lessons. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { LabelSpace } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { constantMatrix, finalOnlyMatrix, matrixFromRows, prefixMatrix, type AccuracyMatrix, type AccuracyRow } from "../report/metrics.ts";
import { runResult, type RunResult } from "../report/result.ts";
import type { Evaluated, Report } from "../training/lesson.ts";

/** What was reached, and how. */
export interface Reached {
  readonly method: string;
  readonly title: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly adapter: string;
  readonly seconds: number;
  readonly labelSpace: LabelSpace;
  readonly datasets: readonly string[];
  readonly zeroShot: Evaluated;
  readonly reports: readonly Report[];
  /** Lessons that there were to be; undefined where the run was stopped on the way. */
  readonly lessons: number | undefined;
}

/** The matrix of what was reported: a row a task; that of a model that never learns; the last row alone where one lesson held all tasks. */
const matrixOf = (datasets: readonly string[], zeroShot: AccuracyRow, lessons: number, rows: readonly AccuracyRow[]): E.Either<Failure, AccuracyMatrix> => {
  if (lessons === 0) return constantMatrix(datasets, zeroShot);
  if (lessons !== datasets.length) return finalOnlyMatrix(datasets, rows[rows.length - 1]);
  return matrixFromRows(datasets, rows);
};

/** The matrix of one label space: that of the finished tasks, where a run was stopped. */
const matrixIn = ({ datasets, zeroShot, reports, lessons }: Reached, rowOf: (e: Evaluated) => AccuracyRow): E.Either<Failure, AccuracyMatrix> =>
  pipe(
    matrixOf(datasets, rowOf(zeroShot), lessons ?? datasets.length, reports.map(rowOf)),
    E.map((whole) => (lessons === undefined ? prefixMatrix(reports.length)(whole) : whole)),
  );

const ranksOf = (report: Report): Readonly<Record<string, number>> => Object.fromEntries(report.trained?.ranks ?? []);

/** The result with all its matrices and metrics. */
export const assemble = (reached: Reached): E.Either<Failure, RunResult> => {
  const { method, title, options, seed, adapter, labelSpace, seconds, datasets, zeroShot, reports } = reached;
  return pipe(
    E.Do,
    E.bind("matrix", () => matrixIn(reached, ({ row }) => row)),
    E.bind("others", () =>
      pipe(
        Object.keys(zeroShot.also ?? {}) as LabelSpace[],
        E.traverseArray((space) =>
          pipe(
            matrixIn(reached, ({ also }) => also?.[space] ?? datasets.map(() => null)),
            E.map((matrix) => [space, { zeroShot: zeroShot.also![space]!.slice(0, matrix.datasets.length), matrix }] as const),
          ),
        ),
      ),
    ),
    E.map(({ matrix, others }) => {
      // Where one lesson held all tasks its ranks stand beside the last row.
      const rowsWithout = reports.length > 0 ? matrix.rows.length - reports.length : 0;
      return runResult({
        method,
        ...(title === undefined ? {} : { title }),
        options,
        seed,
        adapter,
        labelSpace,
        zeroShot: zeroShot.row.slice(0, matrix.datasets.length),
        also: Object.fromEntries(others),
        matrix,
        bytesKept: reports.at(-1)?.bytesKept ?? 0,
        trainableParameters: Math.max(0, ...reports.map((r) => r.trained?.trainableParameters ?? 0)),
        ranks: [...Array.from({ length: rowsWithout }, () => ({})), ...reports.map(ranksOf)],
        seconds,
      });
    }),
  );
};
