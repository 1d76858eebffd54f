/** What a run found, as it stands in `result.json`: every metric computed from the matrix, and a decoder that names the field it refuses. */
import * as E from "fp-ts/lib/Either.js";
import type { Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { dictionary, list, parseJson } from "../formats/json.ts";
import { finite, firstError, natural, nonNegative, nullable, percent } from "./codec.ts";
import { average, bwt, forgetting, fwt, last, matrixFromRows, meanOf, transfer } from "./metrics.ts";
import type { AccuracyMatrix, AccuracyRow, Metric } from "./metrics.ts";

/** The names of the metrics that a result holds, as mean and for each dataset. */
export type MetricName = "transfer" | "average" | "last" | "forgetting" | "bwt" | "fwt";

/** What a run reaches when the same images are scored in another label space. */
export interface ElsewhereResult {
  readonly zeroShot: AccuracyRow;
  readonly matrix: readonly AccuracyRow[];
  readonly transfer: number | null;
  readonly average: number | null;
  readonly last: number | null;
  readonly forgetting: number | null;
}

/** A finished run. Accuracies in percent; metrics in percent or percentage points, `null` where they have no meaning. */
export interface RunResult {
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** The line that says which adapter ran. */
  readonly adapter: string;
  /** Names of the datasets in the order learned. */
  readonly datasets: readonly string[];
  /** The model before the stream, a value a dataset. */
  readonly zeroShot: AccuracyRow;
  /** Row i after task i; see {@link AccuracyMatrix}. */
  readonly matrix: readonly AccuracyRow[];
  readonly transfer: number | null;
  readonly average: number | null;
  readonly last: number | null;
  readonly forgetting: number | null;
  readonly bwt: number | null;
  /** Forward transfer against `zeroShot`. */
  readonly fwt: number | null;
  /** The same metrics for each dataset. */
  readonly perDataset: Readonly<Record<MetricName, readonly (number | null)[]>>;
  readonly trainableParameters: number;
  /** Bytes that the learner keeps beside its weights after the last task. */
  readonly bytesKept: number;
  /** The same run in other label spaces, by their names. */
  readonly also: Readonly<Record<string, ElsewhereResult>>;
  /** Mean over modules of the rank that lives after each task; `null` where a method has no ranks. */
  readonly effectiveRank: readonly (number | null)[];
  /** For each task the rank by module name; empty where a method has no ranks. */
  readonly ranks: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
}

/** What {@link runResult} needs: everything that is not computed from the matrix. */
export interface RunFacts {
  readonly method: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly adapter: string;
  readonly zeroShot: AccuracyRow;
  readonly matrix: AccuracyMatrix;
  readonly trainableParameters: number;
  readonly bytesKept: number;
  /** Zero-shot row and matrix in other label spaces, by their names. Default: none. */
  readonly also?: Readonly<Record<string, { readonly zeroShot: AccuracyRow; readonly matrix: AccuracyMatrix }>>;
  /** For each task the rank by module name; `[]` where a method has no ranks. */
  readonly ranks: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
}

const elsewhere = (zeroShot: AccuracyRow, m: AccuracyMatrix): ElsewhereResult => ({
  zeroShot,
  matrix: m.rows,
  transfer: transfer(m).mean,
  average: average(m).mean,
  last: last(m).mean,
  forgetting: forgetting(m).mean,
});

/** A result with every metric computed from the matrix, and the effective rank from the ranks. */
export const runResult = (facts: RunFacts): RunResult => {
  const m = facts.matrix;
  const metrics: Record<MetricName, Metric> = {
    transfer: transfer(m),
    average: average(m),
    last: last(m),
    forgetting: forgetting(m),
    bwt: bwt(m),
    fwt: fwt(facts.zeroShot)(m),
  };
  return {
    method: facts.method,
    options: facts.options,
    seed: facts.seed,
    adapter: facts.adapter,
    datasets: m.datasets,
    zeroShot: facts.zeroShot,
    matrix: m.rows,
    transfer: metrics.transfer.mean,
    average: metrics.average.mean,
    last: metrics.last.mean,
    forgetting: metrics.forgetting.mean,
    bwt: metrics.bwt.mean,
    fwt: metrics.fwt.mean,
    perDataset: {
      transfer: metrics.transfer.perDataset,
      average: metrics.average.perDataset,
      last: metrics.last.perDataset,
      forgetting: metrics.forgetting.perDataset,
      bwt: metrics.bwt.perDataset,
      fwt: metrics.fwt.perDataset,
    },
    trainableParameters: facts.trainableParameters,
    bytesKept: facts.bytesKept,
    also: Object.fromEntries(Object.entries(facts.also ?? {}).map(([space, { zeroShot, matrix }]) => [space, elsewhere(zeroShot, matrix)])),
    effectiveRank: m.rows.map((_, i) => meanOf(Object.values(facts.ranks[i] ?? {}))),
    ranks: facts.ranks,
    seconds: facts.seconds,
  };
};

const values = list(nullable(finite));
const row = list(nullable(percent));

/** The codec of `result.json`; {@link decodeRunResult} also checks that the widths agree. */
export const RunResultCodec: t.Type<RunResult, unknown> = t.type({
  method: t.string,
  options: t.UnknownRecord,
  seed: finite,
  adapter: t.string,
  datasets: list(t.string),
  zeroShot: row,
  matrix: list(row),
  transfer: nullable(finite),
  average: nullable(finite),
  last: nullable(finite),
  forgetting: nullable(finite),
  bwt: nullable(finite),
  fwt: nullable(finite),
  perDataset: t.type({ transfer: values, average: values, last: values, forgetting: values, bwt: values, fwt: values }),
  trainableParameters: natural,
  bytesKept: natural,
  also: dictionary(
    t.type({
      zeroShot: row,
      matrix: list(row),
      transfer: nullable(finite),
      average: nullable(finite),
      last: nullable(finite),
      forgetting: nullable(finite),
    }),
  ),
  effectiveRank: list(nullable(nonNegative)),
  ranks: list(dictionary(nonNegative)),
  seconds: nonNegative,
});

/** Decodes a result from anything; `path` names the file in the `FileCorrupt` failure. */
export const decodeRunResult =
  (path: string) =>
  (u: unknown): Either<Failure, RunResult> => {
    const corrupt = (detail: string): Failure => ({ _tag: "FileCorrupt", path, detail });
    return pipe(
      RunResultCodec.decode(u),
      E.mapLeft((errors) => corrupt(firstError(errors))),
      E.filterOrElse(
        (r) => r.zeroShot.length === r.datasets.length,
        (r) => corrupt(`zeroShot has ${r.zeroShot.length} values for ${r.datasets.length} datasets`),
      ),
      E.chainFirst((r) =>
        pipe(
          matrixFromRows(r.datasets, r.matrix),
          E.mapLeft((f) => corrupt(f._tag === "ShapeMismatch" ? `matrix: ${f.detail}` : f._tag)),
        ),
      ),
    );
  };

/** Reads a result from the text of a `result.json`; fails with `FileCorrupt` on text that is no JSON, and as {@link decodeRunResult} does. */
export const parseRunResult =
  (path: string) =>
  (text: string): Either<Failure, RunResult> =>
    pipe(
      parseJson(text),
      E.mapLeft((detail): Failure => ({ _tag: "FileCorrupt", path, detail })),
      E.chain(decodeRunResult(path)),
    );
