/** The result of a run, from the reports of its lessons. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { namesOf } from "../data/classNames.ts";
import { labelSpace } from "../data/labelSpace.ts";
import type { LabelSpace, ClassStream, ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { constantMatrix, finalOnlyMatrix, matrixFromRows, prefixMatrix, type AccuracyMatrix, type AccuracyRow } from "../report/metrics.ts";
import { runResult, type ProbeResult, type RunResult } from "../report/result.ts";
import type { Evaluated, Report } from "../training/lesson.ts";

/** What was reached, and how. */
export interface Reached {
  readonly method: string;
  readonly title: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly adapter: string;
  readonly seconds: number;
  readonly stream: ClassStream;
  /** That of the rows. */
  readonly labelSpace: LabelSpace;
  /** Whether the model knows classes by their names, and not by what a head has learned alone. */
  readonly readsTexts: boolean;
  readonly zeroShot: Evaluated;
  readonly reports: readonly Report[];
  /** Lessons that there were to be; undefined where the run was stopped on the way. */
  readonly lessons: number | undefined;
}

const namesIn = ({ stream }: Reached): readonly string[] => stream.tasks.map(({ name }) => name);

/** The matrix of what was reported: a row a task; that of a model that never learns; the last row alone where one lesson held all tasks. */
const matrixOf = (datasets: readonly string[], zeroShot: AccuracyRow, lessons: number, rows: readonly AccuracyRow[]): E.Either<Failure, AccuracyMatrix> => {
  if (lessons === 0) return constantMatrix(datasets, zeroShot);
  if (lessons !== datasets.length) return finalOnlyMatrix(datasets, rows[rows.length - 1]);
  return matrixFromRows(datasets, rows);
};

/** The matrix of one label space: that of the finished tasks, where a run was stopped. */
const matrixIn = (reached: Reached, rowOf: (e: Evaluated) => AccuracyRow): E.Either<Failure, AccuracyMatrix> => {
  const { zeroShot, reports, lessons } = reached;
  const datasets = namesIn(reached);
  return pipe(
    matrixOf(datasets, rowOf(zeroShot), lessons ?? datasets.length, reports.map(rowOf)),
    E.map((whole) => (lessons === undefined ? prefixMatrix(reports.length)(whole) : whole)),
  );
};

/** Percent of right guesses among the names of some tasks. */
export const guessing = (tasks: readonly ClassTask[]): number => 100 / Math.max(1, namesOf(tasks));

/** Percent of right guesses at the end, for each dataset of a matrix. */
const chanceIn = ({ stream, readsTexts, lessons, reports }: Reached, space: LabelSpace, { datasets }: AccuracyMatrix): AccuracyRow => {
  const learned = lessons === undefined ? reports.length : lessons === 0 ? 0 : stream.tasks.length;
  // A head alone has no other classes than those of tasks that were learned.
  const among = space === "union" && !readsTexts ? "seen" : space;
  return datasets.map((_, j) => guessing(labelSpace(stream, j, learned, among).tasks));
};

/** What was measured of a probe after each row of the matrix. */
const afterEach = ({ zeroShot, reports, lessons, stream }: Reached, of: (e: Evaluated) => number | null): readonly (number | null)[] => {
  if (lessons === undefined || lessons === stream.tasks.length) return reports.map(of);
  return stream.tasks.map((_, i) => (lessons === 0 ? of(zeroShot) : i === stream.tasks.length - 1 ? of(reports[reports.length - 1]) : null));
};

const probesOf = (reached: Reached): readonly ProbeResult[] => {
  const { stream, zeroShot, reports } = reached;
  return (stream.probes ?? []).map((probe, k) => {
    const accuracy = ({ probes }: Evaluated): number | null => probes?.[k]?.accuracy ?? null;
    const { probes: newest }: Evaluated = reports.at(-1) ?? zeroShot;
    return {
      name: probe.name,
      classes: probe.classNames.length,
      images: newest?.[k]?.images ?? 0,
      chance: guessing([probe]),
      zeroShot: accuracy(zeroShot),
      after: afterEach(reached, accuracy),
    };
  });
};

const ranksOf = (report: Report): Readonly<Record<string, number>> => Object.fromEntries(report.trained?.ranks ?? []);

/** The result with all its matrices and metrics. */
export const assemble = (reached: Reached): E.Either<Failure, RunResult> => {
  const { method, title, options, seed, adapter, seconds, stream, zeroShot, reports } = reached;
  const { answers }: Evaluated = reports.at(-1) ?? zeroShot;
  return pipe(
    E.Do,
    E.bind("matrix", () => matrixIn(reached, ({ row }) => row)),
    E.bind("others", () =>
      pipe(
        Object.keys(zeroShot.also ?? {}) as LabelSpace[],
        E.traverseArray((space) =>
          pipe(
            matrixIn(reached, ({ also }) => also?.[space] ?? stream.tasks.map(() => null)),
            E.map(
              (matrix) =>
                [space, { zeroShot: zeroShot.also![space]!.slice(0, matrix.datasets.length), matrix, chance: chanceIn(reached, space, matrix) }] as const,
            ),
          ),
        ),
      ),
    ),
    E.map(({ matrix, others }) => {
      // Where one lesson held all tasks its ranks stand beside the last row.
      const rowsWithout = reports.length > 0 ? matrix.rows.length - reports.length : 0;
      const { datasets } = matrix;
      return runResult({
        method,
        ...(title === undefined ? {} : { title }),
        options,
        seed,
        adapter,
        labelSpace: reached.labelSpace,
        classes: datasets.map((_, j) => stream.tasks[j].classNames.length),
        images: answers === undefined ? [] : datasets.map((_, j) => answers[j]?.ids.length ?? 0),
        chance: chanceIn(reached, reached.labelSpace, matrix),
        zeroShot: zeroShot.row.slice(0, datasets.length),
        also: Object.fromEntries(others),
        matrix,
        probes: probesOf(reached),
        bytesKept: reports.at(-1)?.bytesKept ?? 0,
        trainableParameters: Math.max(0, ...reports.map((r) => r.trained?.trainableParameters ?? 0)),
        ranks: [...Array.from({ length: rowsWithout }, () => ({})), ...reports.map(ranksOf)],
        seconds,
      });
    }),
  );
};
