/** Runs of one method with several seeds as one entry: mean and spread. */
import { inOrder } from "../formats/json.ts";
import { basename } from "../formats/path.ts";
import { meanOf } from "./metrics.ts";
import { optionText } from "./optionText.ts";
import type { AccuracyRow } from "./metrics.ts";
import { eachMetric, type MetricName, type ProbeResult, type RunResult } from "./result.ts";

/** Mean and sample standard deviation (n - 1) over seeds; `std` is `null` for one seed, both are where a seed has no value. */
export interface Spread {
  readonly mean: number | null;
  readonly std: number | null;
}

/** What was known of a probe before the stream, after each of its tasks, and at its end: accuracies in percent, means over the seeds. */
export interface ProbeSummary extends ProbeResult {
  readonly last: Spread;
  /** `last` as percent of `zeroShot`, seed by seed. */
  readonly kept: Spread;
}

/** The runs of one method with the same options on the same stream, in one label space; matrices, ranks and metrics are means over the seeds. */
export interface Summary {
  /** The method as people write it, the options that tell it from its other entries, and the label space where it is not the run's own. */
  readonly label: string;
  /** The name that commands call the method by. */
  readonly method: string;
  readonly labelSpace: string;
  readonly runs: readonly RunResult[];
  readonly datasets: readonly string[];
  /** Classes and scored test images of each dataset; `[]` where the results do not say it. */
  readonly classes: readonly number[];
  readonly images: readonly number[];
  /** Percent of right guesses at random. */
  readonly chance: AccuracyRow;
  readonly zeroShot: AccuracyRow;
  readonly matrix: readonly AccuracyRow[];
  /** Means of the seeds' values, `null` where a seed has none: gain kept is the mean of their shares, and none where a seed gained nothing. */
  readonly metrics: Readonly<Record<MetricName, Spread>>;
  readonly perDataset: Readonly<Record<MetricName, readonly (number | null)[]>>;
  readonly probes: readonly ProbeSummary[];
  readonly trainableParameters: number;
  readonly bytesKept: Spread;
  /** Mean over modules and tasks of the rank that lives. */
  readonly effectiveRank: Spread;
  /** For each task the rank by module name. */
  readonly ranks: readonly Readonly<Record<string, number>>[];
  readonly seconds: Spread;
}

/** The mean and the sample standard deviation of some values. */
export const spread = (xs: readonly (number | null)[]): Spread => {
  const mean = meanOf(xs);
  if (mean === null || xs.length < 2) return { mean, std: null };
  const squares = xs.reduce<number>((sum, x) => sum + ((x ?? 0) - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / (xs.length - 1)) };
};

/** How many seeds some entries have: `3`, or `2 to 3`. */
export const seedsOf = (summaries: readonly Summary[]): string => {
  const [least, most] = [Math.min, Math.max].map((f) => f(...summaries.map((s) => s.runs.length)));
  return least === most ? `${most}` : `${least} to ${most}`;
};

/** The mean effective rank of a run over its tasks; `null` where no task has one. */
export const meanEffectiveRank = (r: RunResult): number | null => meanOf(r.effectiveRank.filter((x) => x !== null));

/** What tells no runs apart: where one wrote, which seed it drew from, and in what other label spaces it was measured, too. */
const untelling = ["seed", "out", "also"];

/** Whether an option says something about a run: not what was left open, either. */
const tells = ([key, value]: readonly [string, unknown]): boolean => !untelling.includes(key) && value !== null && value !== undefined;

/** How a run was computed where its options do not say: what was chosen is written down, and what was left at its default is not. */
const unsaid = { precision: "f32", accumulate: 1, recompute: "none", reference: "own pictures" };

/** Options, and what else makes a run what it is. */
type Identity = Readonly<Record<string, unknown>>;

/** What makes a run what it is: its options, where it was scored, and on which probes. */
const identity = (r: RunResult): Identity => ({
  ...unsaid,
  ...Object.fromEntries(Object.entries(r.options).filter(tells)),
  labelSpace: r.labelSpace,
  probes: r.probes.map(({ name }) => name).sort(),
});

/** Whether a method never trains. */
export const isStill = (s: Summary): boolean => s.trainableParameters === 0;

/** Whether all tasks were learned at once: joint training, also on a stream of one task, and whatever else has no row but the last. */
export const isJoint = (s: Summary): boolean =>
  !isStill(s) && (s.method === "joint" || (s.matrix.length > 1 && s.matrix.slice(0, -1).every((row) => row.every((x) => x === null))));

/** Values in groups of one key, both in the order in which they first appear. */
export const groupBy =
  <A>(key: (a: A) => string) =>
  (as: readonly A[]): readonly (readonly A[])[] => {
    const groups = new Map<string, A[]>();
    for (const a of as) groups.set(key(a), [...(groups.get(key(a)) ?? []), a]);
    return [...groups.values()];
  };

const meanRows = (rows: readonly AccuracyRow[]): AccuracyRow => (rows[0] ?? []).map((_, j) => meanOf(rows.map((row) => row[j] ?? null)));

const meanRanks = (tasks: readonly Readonly<Record<string, number>>[]): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.keys(tasks[0] ?? {}).map((module) => [module, meanOf(tasks.map((ranks) => ranks[module] ?? null)) ?? 0]));

const lastOf = ({ after }: ProbeResult): number | null => after.at(-1) ?? null;

/** The share of a probe's accuracy that is left at the end, in percent; `null` where there was none. */
export const keptOf = (probe: ProbeResult): number | null => {
  const last = lastOf(probe);
  return last === null || probe.zeroShot === null || probe.zeroShot === 0 ? null : (100 * last) / probe.zeroShot;
};

/** One probe over the seeds. */
const probeSummary = (probes: readonly ProbeResult[]): ProbeSummary => ({
  ...probes[0],
  zeroShot: meanOf(probes.map((p) => p.zeroShot)),
  after: meanRows(probes.map((p) => p.after)),
  last: spread(probes.map(lastOf)),
  kept: spread(probes.map(keptOf)),
});

/** The names of the probes of some runs or entries, each once. */
export const probeNames = (all: readonly { readonly probes: readonly { readonly name: string }[] }[]): readonly string[] => [
  ...new Set(all.flatMap(({ probes }) => probes.map(({ name }) => name))),
];

/** What an entry reaches at the end on the probe of a name; nothing where it has none such. */
export const lastOn = ({ probes }: Summary, name: string): Spread => probes.find((probe) => probe.name === name)?.last ?? spread([]);

/** Some runs, at least one, as one entry. */
export const summaryOf = (label: string, runs: readonly RunResult[]): Summary => {
  const first = runs[0];
  const { method, labelSpace, datasets, classes, images, chance, trainableParameters } = first;
  return {
    ...{ label, method, labelSpace, runs, datasets, classes, images, chance, trainableParameters },
    zeroShot: meanRows(runs.map((r) => r.zeroShot)),
    matrix: first.matrix.map((_, i) => meanRows(runs.map((r) => r.matrix[i] ?? []))),
    metrics: eachMetric((name) => spread(runs.map((r) => r[name]))),
    perDataset: eachMetric((name) => meanRows(runs.map((r) => r.perDataset[name]))),
    probes: first.probes.map(({ name }) => probeSummary(runs.flatMap((r) => r.probes.find((probe) => probe.name === name) ?? []))),
    bytesKept: spread(runs.map((r) => r.bytesKept)),
    effectiveRank: spread(runs.map(meanEffectiveRank)),
    ranks: first.ranks.map((_, i) => meanRanks(runs.map((r) => r.ranks[i] ?? {}))),
    seconds: spread(runs.map((r) => r.seconds)),
  };
};

/** The last part of the path of a reference; the whole where that of another is the same. */
const nameOf = (mine: Identity, others: readonly Identity[]): string => {
  const [own, ...rest] = [mine, ...others].map(({ reference }) => basename(String(reference)));
  return rest.includes(own) ? String(mine.reference) : own;
};

/** What tells one group from the others of its method on the stream: the options that differ, as `steps=200 rank=4`. */
const difference = (runs: readonly RunResult[], siblings: readonly (readonly RunResult[])[]): string => {
  const [mine, ...all] = [runs, ...siblings].map(([first]) => identity(first));
  const differsIn = (key: string, other: Identity): boolean => JSON.stringify(inOrder(other[key])) !== JSON.stringify(inOrder(mine[key]));
  return [...new Set([mine, ...all].flatMap(Object.keys))]
    .flatMap((key) => {
      const others = all.filter((other) => differsIn(key, other));
      if (others.length === 0) return [];
      const text = key === "reference" ? nameOf(mine, others) : optionText(mine[key]);
      return text === undefined ? `${key} not set` : `${key}=${text}`;
    })
    .join(" ");
};

/** The first run of each seed: the same seed again is no other sample. */
const oncePerSeed = (runs: readonly RunResult[]): readonly RunResult[] => groupBy<RunResult>((r) => `${r.seed}`)(runs).map(([first]) => first);

/**
 * One entry for each method, options, label space, probes and stream, in the order in which they first appear. Seeds of one entry are averaged; where a seed
 * comes twice, its first run counts.
 */
export const summarise = (results: readonly RunResult[]): readonly Summary[] => {
  const stream = (r: RunResult): string => JSON.stringify([r.method, r.datasets]);
  const groups = groupBy<RunResult>((r) => JSON.stringify([stream(r), inOrder(identity(r))]))(results).map(oncePerSeed);
  return groups.map((runs) => {
    const siblings = groups.filter((other) => stream(other[0]) === stream(runs[0]));
    const extra = difference(runs, siblings);
    const name = runs[0].title ?? runs[0].method;
    return summaryOf(extra === "" ? name : `${name} ${extra}`, runs);
  });
};
