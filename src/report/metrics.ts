/**
 * The accuracy matrix of a stream, and the metrics of the field as pure functions of it.
 *
 * ```ts
 * interface AccuracyMatrix { readonly datasets: readonly string[]; readonly rows: readonly (readonly (number | null)[])[] }
 * interface Metric { readonly perDataset: readonly (number | null)[]; readonly mean: number | null }
 * ```
 *
 * `rows[i][j]` is the accuracy in percent on dataset `j` after task `i`; datasets are tasks in the order learned, so the full
 * matrix is T x T. Fewer rows mean a stream under way, and `null` a cell that was not measured.
 *
 * The peers disagree on masking, so here it is by index alone: a metric is the mean of exactly the cells that its definition
 * names. A genuine 0 % counts; where one of these cells was not measured, or the definition names none, the value is `null`.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Either } from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";

/** Accuracies in percent (0 to 100), one a dataset; `null` where not measured. */
export type AccuracyRow = readonly (number | null)[];

/** Accuracies in percent: row `i` after task `i`, column `j` on dataset `j`; at most as many rows as datasets. */
export interface AccuracyMatrix {
  readonly datasets: readonly string[];
  readonly rows: readonly AccuracyRow[];
  /** Whether datasets in which nothing was measured are no part of a mean, as where only some tasks have a score. Default: such a mean is `null`. */
  readonly partial?: boolean;
}

/** One metric in percent or percentage points: a value a dataset and their mean; `null` where it has no meaning. */
export interface Metric {
  readonly perDataset: readonly (number | null)[];
  readonly mean: number | null;
}

const isAccuracy = (x: number | null): boolean => x === null || (x >= 0 && x <= 100);

/** The matrix of a stream that has learned nothing yet: no rows. */
export const emptyMatrix = (datasets: readonly string[]): AccuracyMatrix => ({ datasets, rows: [] });

/** A new matrix with one more row below; fails with `ShapeMismatch` on a wrong width, a row too many, or a value outside 0 to 100. */
export const appendRow =
  (row: AccuracyRow) =>
  (m: AccuracyMatrix): Either<Failure, AccuracyMatrix> => {
    const size = m.datasets.length;
    const mismatch = (detail: string): Either<Failure, AccuracyMatrix> => E.left({ _tag: "ShapeMismatch", op: "accuracy matrix", detail });
    if (m.rows.length >= size) return mismatch(`already has ${size} rows, one a dataset`);
    if (row.length !== size) return mismatch(`row ${m.rows.length + 1} has ${row.length} values for ${size} datasets`);
    const bad = row.findIndex((x) => !isAccuracy(x));
    if (bad >= 0) return mismatch(`row ${m.rows.length + 1} has ${String(row[bad])} for ${m.datasets[bad]}, which is not between 0 and 100 percent`);
    return E.right({ datasets: m.datasets, rows: [...m.rows, [...row]] });
  };

/**
 * A matrix from its rows; fails as {@link appendRow} does.
 *
 * ```ts
 * const m = matrixFromRows(["pets", "cars"], [[90, 40], [80, 170]]);
 * assert.ok(m._tag === "Left" && describe(m.left).includes("170 for cars"));
 * ```
 */
export const matrixFromRows = (datasets: readonly string[], rows: readonly AccuracyRow[]): Either<Failure, AccuracyMatrix> =>
  rows.reduce<Either<Failure, AccuracyMatrix>>((m, row) => E.chain(appendRow(row))(m), E.right(emptyMatrix(datasets)));

/**
 * The matrix of a model that never learns: every row is `row`. Its Transfer is the mean over datasets 2 to T, its Average and Last
 * the mean over all: the zero-shot row as METHODS.md E.1 treats it.
 */
export const constantMatrix = (datasets: readonly string[], row: AccuracyRow): Either<Failure, AccuracyMatrix> =>
  matrixFromRows(
    datasets,
    datasets.map(() => row),
  );

/** The matrix of joint training, which has no stages: only the last row is measured, so only Last has a meaning. */
export const finalOnlyMatrix = (datasets: readonly string[], row: AccuracyRow): Either<Failure, AccuracyMatrix> =>
  matrixFromRows(
    datasets,
    datasets.map((_, i) => (i === datasets.length - 1 ? row : datasets.map(() => null))),
  );

/** The matrix of the first `tasks` tasks on their own datasets: what the metrics of an unfinished stream are computed from. */
export const prefixMatrix =
  (tasks: number) =>
  (m: AccuracyMatrix): AccuracyMatrix => ({
    datasets: m.datasets.slice(0, tasks),
    rows: m.rows.slice(0, tasks).map((row) => row.slice(0, tasks)),
  });

/** `a[i][j]` in percent, both from 0; `null` where it was not measured. */
export const accuracyAt = (m: AccuracyMatrix, i: number, j: number): number | null => m.rows[i]?.[j] ?? null;

/** The mean of the values; `null` where there are none or one of them is `null`. */
export const meanOf = (xs: readonly (number | null)[]): number | null => {
  let sum = 0;
  for (const x of xs) {
    if (x === null) return null;
    sum += x;
  }
  return xs.length === 0 ? null : sum / xs.length;
};

const range = (from: number, to: number): readonly number[] => Array.from({ length: Math.max(0, to - from) }, (_, k) => from + k);

/** Those of some datasets that are part of a mean. */
const counting = ({ rows, partial = false }: AccuracyMatrix, datasets: readonly number[]): readonly number[] =>
  partial ? datasets.filter((j) => rows.some(({ [j]: x = null }) => x !== null)) : datasets;

/** A metric from the value of each dataset; `named` says which datasets the definition names, the others are `null` and not in the mean. */
const metric = (m: AccuracyMatrix, named: readonly number[], value: (j: number) => number | null): Metric => {
  const perDataset = m.datasets.map((_, j) => (named.includes(j) ? value(j) : null));
  return { perDataset, mean: meanOf(counting(m, named).map((j) => perDataset[j])) };
};

const minus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a - b);

/**
 * Transfer (METHODS.md E.1): accuracy on dataset j before it is learned, `mean_{i<j} a[i][j]`; the first dataset has none.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * assert.deepEqual(transfer(m), { perDataset: [null, 40], mean: 40 });
 * ```
 */
export const transfer = (m: AccuracyMatrix): Metric => {
  const size = m.datasets.length;
  return metric(m, range(1, size), (j) => meanOf(range(0, j).map((i) => accuracyAt(m, i, j))));
};

/**
 * Average (METHODS.md E.1): `mean_i a[i][j]` over all rows.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * assert.deepEqual(average(m), { perDataset: [85, 55], mean: 70 });
 * ```
 */
export const average = (m: AccuracyMatrix): Metric => {
  const size = m.datasets.length;
  return metric(m, range(0, size), (j) => meanOf(range(0, size).map((i) => accuracyAt(m, i, j))));
};

/**
 * Last (METHODS.md E.1): accuracy at the end of the stream, `a[T][j]`. Its mean is also called MFN, and OP in TRACE.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * assert.deepEqual(last(m), { perDataset: [80, 70], mean: 75 });
 * ```
 */
export const last = (m: AccuracyMatrix): Metric => {
  const size = m.datasets.length;
  return metric(m, range(0, size), (j) => accuracyAt(m, size - 1, j));
};

/**
 * Forgetting (METHODS.md E.4): `max_{i<=T} a[i][j] - a[T][j]` for j < T, never negative; `null` for one task. Rows before task j enter
 * the maximum where they were measured; class-incremental streams have none there.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * assert.deepEqual(forgetting(m), { perDataset: [10, null], mean: 10 });
 * ```
 */
export const forgetting = (m: AccuracyMatrix): Metric => {
  const size = m.datasets.length;
  return metric(m, range(0, size - 1), (j) => {
    const learned = range(j, size).map((i) => accuracyAt(m, i, j));
    if (learned.includes(null)) return null;
    const measured = range(0, size)
      .map((i) => accuracyAt(m, i, j))
      .filter((x) => x !== null);
    return minus(Math.max(...measured), accuracyAt(m, size - 1, j));
  });
};

/**
 * Backward transfer: `a[T][j] - a[j][j]` for j < T, in percentage points; negative where learning more tasks cost accuracy.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * assert.deepEqual(bwt(m), { perDataset: [-10, null], mean: -10 });
 * ```
 */
export const bwt = (m: AccuracyMatrix): Metric => {
  const size = m.datasets.length;
  return metric(m, range(0, size - 1), (j) => minus(accuracyAt(m, size - 1, j), accuracyAt(m, j, j)));
};

/** Forward transfer: `a[j-1][j] - baseline[j]` for j >= 2, in percentage points; `baseline` is the untrained model, here zero-shot. */
export const fwt =
  (baseline: AccuracyRow) =>
  (m: AccuracyMatrix): Metric => {
    const size = m.datasets.length;
    return metric(m, range(1, size), (j) => minus(accuracyAt(m, j - 1, j), baseline[j] ?? null));
  };

/**
 * Learned: accuracy on dataset j right after it is learned, `a[j][j]`: the diagonal. Its mean is also called MFT.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * assert.deepEqual(learned(m), { perDataset: [90, 70], mean: 80 });
 * ```
 */
export const learned = (m: AccuracyMatrix): Metric => {
  const size = m.datasets.length;
  return metric(m, range(0, size), (j) => accuracyAt(m, j, j));
};

/** Percentage points that print as 0.0: a share of so little says nothing. */
const least = 0.05;

/**
 * Gain kept, in percent: how much of what was gained over the model before the stream is left at the end, `100 (a[T][j] - z[j]) / (a[j][j] - z[j])` with
 * `baseline` as z; negative where more was lost than gained. The mean is that of the sums over all datasets, so a dataset weighs by what was gained on it.
 * Null where the gain is below 0.05 points, so that it prints as 0.0; for the mean that is the gain over all datasets, divided by their number.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [75, 70]] };
 * assert.deepEqual(gainKept([60, 60])(m), { perDataset: [50, 100], mean: 62.5 });
 * ```
 */
export const gainKept =
  (baseline: AccuracyRow) =>
  (m: AccuracyMatrix): Metric => {
    const size = m.datasets.length;
    const over = (i: number, j: number): number | null => minus(accuracyAt(m, i, j), baseline[j] ?? null);
    const share = (left: number | null, gained: number | null): number | null =>
      left === null || gained === null || gained < least ? null : (100 * left) / gained;
    const datasets = counting(m, range(0, size));
    return {
      perDataset: m.datasets.map((_, j) => share(over(size - 1, j), over(j, j))),
      // A share of two sums is that of two means.
      mean: share(meanOf(datasets.map((j) => over(size - 1, j))), meanOf(datasets.map((j) => over(j, j)))),
    };
  };
