/** What a run found, as it stands in `result.json`: every metric computed from the matrix. */
import { average, bwt, forgetting, fwt, gainKept, last, learned, meanOf, transfer } from "./metrics.ts";
import type { AccuracyMatrix, AccuracyRow, Metric } from "./metrics.ts";

/** The metrics that a result holds, as mean and for each dataset, in the order in which they stand there. */
export const metricNames = ["transfer", "average", "last", "forgetting", "bwt", "fwt", "learned", "gainKept"] as const;

/** The name of a metric of a result. */
export type MetricName = (typeof metricNames)[number];

/** A value for every metric. */
export const eachMetric = <A>(value: (name: MetricName) => A): Readonly<Record<MetricName, A>> =>
  Object.fromEntries(metricNames.map((name) => [name, value(name)])) as Record<MetricName, A>;

/** A dataset that was scored after every task and never learned, among its own classes or as its questions are. */
export interface ProbeResult {
  readonly name: string;
  /** How many classes it has; 0 where it is answered in words. */
  readonly classes: number;
  /** Test images, or questions, that were scored. */
  readonly images: number;
  /** Percent of right guesses at random among its names, or its choices; null where it has none. */
  readonly chance: number | null;
  /** The model before the stream, percent; null where it cannot tell the classes apart, as where no text is read, or none of the images could be read. */
  readonly zeroShot: number | null;
  /** After each task, percent; null also where it was not measured. Joint training has the last alone. */
  readonly after: readonly (number | null)[];
  /** Of one that is answered in words: the perplexity of its answers, before the stream and after each task. */
  readonly perplexity?: { readonly zeroShot: number | null; readonly after: readonly (number | null)[] };
}

/** A finished run. Accuracies in percent; metrics in percent or percentage points, `null` where they have no meaning. */
export interface RunResult {
  readonly method: string;
  /** The method's name as people write it. Default: `method`. */
  readonly title?: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  /** The line that says which adapter ran. */
  readonly adapter: string;
  /**
   * What an image is scored among: the classes of its task, of all tasks (`union`), or of those learned so far (`seen`). Of tasks that are answered in words:
   * the score that they have in common, or `own` where each has its own.
   */
  readonly labelSpace: string;
  /** Names of the datasets in the order learned. */
  readonly datasets: readonly string[];
  /** Classes of each dataset; `[]` where a result does not say it, as those of older versions. */
  readonly classes: readonly number[];
  /** Test images, or questions, of each dataset that were scored; `[]` where a result does not say it. */
  readonly images: readonly number[];
  /** Percent of right guesses at random among the names that an image of each dataset is scored among at the end; null where a result does not say it. */
  readonly chance: AccuracyRow;
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
  /** Accuracy right after learning; `null` where nothing is trained, and for joint training. */
  readonly learned: number | null;
  /** Share in percent of what was gained over `zeroShot` that is left at the end. */
  readonly gainKept: number | null;
  /** The same metrics for each dataset. */
  readonly perDataset: Readonly<Record<MetricName, readonly (number | null)[]>>;
  readonly trainableParameters: number;
  /** Bytes that the learner keeps beside its weights after the last task. */
  readonly bytesKept: number;
  /** Examples of past tasks that it keeps for replay, where there are some: references to the data. */
  readonly examplesKept?: number;
  /** The same run in other label spaces, or by other scores, by their names. */
  readonly also: Readonly<Record<string, ElsewhereResult>>;
  /** What the model knew before, as numbers; `[]` where the stream has no probes. */
  readonly probes: readonly ProbeResult[];
  /** Mean over modules of the rank that lives after each task; `null` where a method has no ranks. */
  readonly effectiveRank: readonly (number | null)[];
  /** For each task the rank by module name; empty where a method has no ranks. */
  readonly ranks: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
}

/** What a run reaches when the same images are scored in another label space. */
export type ElsewhereResult = Pick<RunResult, "zeroShot" | "matrix" | "transfer" | "average" | "last" | "forgetting" | "learned" | "gainKept" | "chance">;

/** What {@link runResult} needs: everything that is not computed from the matrix. */
export interface RunFacts {
  readonly method: string;
  readonly title?: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly adapter: string;
  /** Default: `task`. */
  readonly labelSpace?: string;
  /** Classes and scored test images of each dataset, and percent of right guesses at random. Default: not known. */
  readonly classes?: readonly number[];
  readonly images?: readonly number[];
  readonly chance?: AccuracyRow;
  readonly zeroShot: AccuracyRow;
  readonly matrix: AccuracyMatrix;
  readonly trainableParameters: number;
  readonly bytesKept: number;
  /** Default: none. */
  readonly examplesKept?: number;
  /** Zero-shot row, matrix and chance in other label spaces, by their names. Default: none. */
  readonly also?: Readonly<Record<string, { readonly zeroShot: AccuracyRow; readonly matrix: AccuracyMatrix; readonly chance?: AccuracyRow }>>;
  /** Default: none. */
  readonly probes?: readonly ProbeResult[];
  /** For each task the rank by module name; `[]` where a method has no ranks. */
  readonly ranks: readonly Readonly<Record<string, number>>[];
  readonly seconds: number;
}

/** All metrics of a matrix; a model that trains nothing learns nothing. */
export const metricsOf = (m: AccuracyMatrix, zeroShot: AccuracyRow, trains: boolean): Readonly<Record<MetricName, Metric>> => ({
  transfer: transfer(m),
  average: average(m),
  last: last(m),
  forgetting: forgetting(m),
  bwt: bwt(m),
  fwt: fwt(zeroShot)(m),
  learned: trains ? learned(m) : { perDataset: m.datasets.map(() => null), mean: null },
  gainKept: gainKept(zeroShot)(m),
});

/** Whether rows are in a score of answers in words, and in no label space. */
export const isScore = (labelSpace: string): boolean => !["task", "union", "seen"].includes(labelSpace);

/** The matrix in another label space, or by another score: that of tasks which do not have it is no part of a mean. */
export const matrixElsewhere = (space: string, { datasets, rows }: AccuracyMatrix): AccuracyMatrix => ({ datasets, rows, partial: isScore(space) });

const elsewhere = (zeroShot: AccuracyRow, m: AccuracyMatrix, chance: AccuracyRow | undefined, trains: boolean): ElsewhereResult => {
  const metrics = metricsOf(m, zeroShot, trains);
  return {
    zeroShot,
    matrix: m.rows,
    transfer: metrics.transfer.mean,
    average: metrics.average.mean,
    last: metrics.last.mean,
    forgetting: metrics.forgetting.mean,
    learned: metrics.learned.mean,
    gainKept: metrics.gainKept.mean,
    chance: chance ?? m.datasets.map(() => null),
  };
};

/** A result with every metric computed from the matrix, and the effective rank from the ranks. */
export const runResult = (facts: RunFacts): RunResult => {
  const m = facts.matrix;
  const trains = facts.trainableParameters > 0;
  const metrics = metricsOf(m, facts.zeroShot, trains);
  return {
    method: facts.method,
    ...(facts.title === undefined ? {} : { title: facts.title }),
    options: facts.options,
    seed: facts.seed,
    adapter: facts.adapter,
    labelSpace: facts.labelSpace ?? "task",
    datasets: m.datasets,
    classes: facts.classes ?? [],
    images: facts.images ?? [],
    chance: facts.chance ?? m.datasets.map(() => null),
    zeroShot: facts.zeroShot,
    matrix: m.rows,
    ...eachMetric((name) => metrics[name].mean),
    perDataset: eachMetric((name) => metrics[name].perDataset),
    trainableParameters: facts.trainableParameters,
    bytesKept: facts.bytesKept,
    ...(facts.examplesKept === undefined ? {} : { examplesKept: facts.examplesKept }),
    also: Object.fromEntries(
      Object.entries(facts.also ?? {}).map(([space, { zeroShot, matrix, chance }]) => [
        space,
        elsewhere(zeroShot, matrixElsewhere(space, matrix), chance, trains),
      ]),
    ),
    probes: facts.probes ?? [],
    effectiveRank: m.rows.map((_, i) => meanOf(Object.values(facts.ranks[i] ?? {}))),
    ranks: facts.ranks,
    seconds: facts.seconds,
  };
};
