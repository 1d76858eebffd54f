/** The codec of `result.json`, which names the field that it refuses; what an older version did not write it computes, or says that it is not known. */
import * as E from "fp-ts/lib/Either.js";
import type { Either } from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { dictionary, list, parseJson } from "../formats/json.ts";
import { finite, firstError, natural, nonNegative, nullable, optional, percent, points } from "./codec.ts";
import { matrixFromRows, type AccuracyRow, type Metric } from "./metrics.ts";
import { metricNames, metricsOf, type ElsewhereResult, type MetricName, type RunResult } from "./result.ts";

const row = list(nullable(percent));
const differences = list(nullable(points));

/** What a run reaches in a label space; what is optional versions before the probes did not write. */
const scores = {
  zeroShot: row,
  matrix: list(row),
  transfer: nullable(percent),
  average: nullable(percent),
  last: nullable(percent),
  forgetting: nullable(points),
  learned: optional(nullable(percent)),
  gainKept: optional(nullable(finite)),
  chance: optional(row),
};
const elsewhere = t.type(scores);

const byDataset = t.type({
  transfer: row,
  average: row,
  last: row,
  forgetting: differences,
  bwt: differences,
  fwt: differences,
  learned: optional(row),
  gainKept: optional(list(nullable(finite))),
});

const perplexity = t.type({ zeroShot: nullable(nonNegative), after: list(nullable(nonNegative)) });
const probe = t.type(
  { name: t.string, classes: natural, images: natural, chance: nullable(percent), zeroShot: nullable(percent), after: row, perplexity: optional(perplexity) },
  "a probe",
);

const written = t.type({
  method: t.string,
  title: optional(t.string),
  options: t.UnknownRecord,
  seed: finite,
  adapter: t.string,
  labelSpace: optional(t.string),
  datasets: list(t.string),
  classes: optional(list(natural)),
  images: optional(list(natural)),
  ...scores,
  bwt: nullable(points),
  fwt: nullable(points),
  perDataset: byDataset,
  trainableParameters: natural,
  bytesKept: natural,
  examplesKept: optional(natural),
  also: dictionary(elsewhere),
  probes: optional(list(probe)),
  effectiveRank: list(nullable(nonNegative)),
  ranks: list(dictionary(nonNegative)),
  seconds: nonNegative,
});

/** The scores of a label space with all their fields: what follows from the matrix is computed where it was not written. */
const scored = <S extends t.TypeOf<typeof elsewhere>>(
  scores: S,
  metrics: Readonly<Record<MetricName, Metric>>,
): S & Pick<ElsewhereResult, "learned" | "gainKept" | "chance"> => ({
  ...scores,
  chance: scores.chance ?? scores.zeroShot.map(() => null),
  learned: scores.learned === undefined ? metrics.learned.mean : scores.learned,
  gainKept: scores.gainKept === undefined ? metrics.gainKept.mean : scores.gainKept,
});

/** A result with all its fields. */
const completed = ({ title, examplesKept, ...r }: t.TypeOf<typeof written>): RunResult => {
  const metricsIn = ({ matrix, zeroShot }: t.TypeOf<typeof elsewhere>): Readonly<Record<MetricName, Metric>> =>
    metricsOf({ datasets: r.datasets, rows: matrix }, zeroShot, r.trainableParameters > 0);
  const metrics = metricsIn(r);
  const { learned = metrics.learned.perDataset, gainKept = metrics.gainKept.perDataset } = r.perDataset;
  return {
    ...scored(r, metrics),
    ...(title === undefined ? {} : { title }),
    ...(examplesKept === undefined ? {} : { examplesKept }),
    labelSpace: r.labelSpace ?? (typeof r.options.labelSpace === "string" ? r.options.labelSpace : "task"),
    classes: r.classes ?? [],
    images: r.images ?? [],
    probes: (r.probes ?? []).map(({ perplexity: known, ...rest }) => ({ ...rest, ...(known === undefined ? {} : { perplexity: known }) })),
    perDataset: { ...r.perDataset, learned, gainKept },
    also: Object.fromEntries(Object.entries(r.also).map(([space, other]) => [space, scored(other, metricsIn(other))])),
  };
};

/** The codec of `result.json`; {@link decodeRunResult} also checks that the widths agree. */
export const RunResultCodec: t.Type<RunResult, unknown> = new t.Type<RunResult, unknown>(
  "a result",
  (u): u is RunResult => written.is(u),
  (u, context) => pipe(written.validate(u, context), E.map(completed)),
  t.identity,
);

/** The fields that have a value a dataset, and how many they have; a list that says nothing has none. */
const widths = ({ zeroShot, chance, classes, images, probes, perDataset, also }: RunResult): readonly (readonly [string, number])[] => [
  ["zeroShot", zeroShot.length],
  ["chance", chance.length],
  ...(classes.length === 0 ? [] : [["classes", classes.length] as const]),
  ...(images.length === 0 ? [] : [["images", images.length] as const]),
  ...metricNames.map((name) => [`perDataset.${name}`, perDataset[name].length] as const),
  ...Object.entries(also).flatMap(([space, other]) => [
    [`also.${space}.zeroShot`, other.zeroShot.length] as const,
    [`also.${space}.chance`, other.chance.length] as const,
  ]),
  ...probes.map(({ name, after }) => [`after of the probe ${name}`, after.length] as const),
];

/** The fields that have a value for each task that was learned. */
const lengths = ({ ranks, effectiveRank }: RunResult): readonly (readonly [string, number])[] => [
  ["ranks", ranks.length],
  ["effectiveRank", effectiveRank.length],
];

/** The accuracy matrices, by the names of their fields. */
const matrices = ({ matrix, also }: RunResult): readonly (readonly [string, readonly AccuracyRow[]])[] => [
  ["matrix", matrix],
  ...Object.entries(also).map(([space, other]) => [`also.${space}.matrix`, other.matrix] as const),
];

/** Decodes a result from anything; `path` names the file in the `FileCorrupt` failure. */
export const decodeRunResult =
  (path: string) =>
  (u: unknown): Either<Failure, RunResult> => {
    const corrupt = (detail: string): Failure => ({ _tag: "FileCorrupt", path, detail });
    return pipe(
      RunResultCodec.decode(u),
      E.mapLeft((errors) => corrupt(firstError(errors))),
      E.chainFirst((r) => {
        const known = r.datasets.length;
        const wrong = widths(r).find(([, width]) => width !== known) ?? lengths(r).find(([, length]) => length > known);
        return wrong === undefined ? E.right(r) : E.left(corrupt(`${wrong[0]} has ${wrong[1]} values for ${known} datasets`));
      }),
      E.chainFirst((r) =>
        pipe(
          matrices(r),
          E.traverseArray(([name, rows]) =>
            pipe(
              matrixFromRows(r.datasets, rows),
              E.mapLeft((f) => corrupt(f._tag === "ShapeMismatch" ? `${name}: ${f.detail}` : f._tag)),
            ),
          ),
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
