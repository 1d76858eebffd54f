/**
 * The comparison of runs as a value, from which every table is written: text, Markdown, LaTeX, CSV and the page.
 *
 * What runs are compared with comes first: guessing, the model as it is, and joint training. Then the methods that learn task by task, in the order given.
 * The row of a run in another label space stands below its own.
 */
import { legible } from "../failure.ts";
import { bytes, count, counted, duration, fixed, missing } from "./format.ts";
import { leader, type Better } from "./leads.ts";
import { meanOf, type AccuracyRow } from "./metrics.ts";
import { isScore, type MetricName } from "./result.ts";
import { sentence } from "./sentence.ts";
import { guessing, inEverySpace, untrained } from "./spaces.ts";
import { groupBy, isJoint, isStill, lastOn, probeNames, seedsOf, type Spread, type Summary } from "./summary.ts";

/** One column: its heading, what it means, its value in an entry, how a number of it is written, and which end is the better one. */
export interface Column {
  readonly heading: string;
  readonly meaning: string;
  readonly value: (s: Summary) => Spread;
  /** A number of an entry as text; a deviation has no entry. */
  readonly format: (x: number | null, of?: Summary) => string;
  readonly better?: Better;
  /** An accuracy of the tasks, which depends on the label space; one of a probe; or what training costs. */
  readonly kind: "task" | "probe" | "cost";
}

/** What stands in a cell: a mean, its standard deviation where there are several seeds ("" otherwise), and whether it is the best. */
export interface Cell {
  readonly mean: string;
  readonly deviation: string;
  /** Whether it leads every other method by the rule of {@link leads}: what is printed bold. */
  readonly best: boolean;
}

/** One row: an entry in one label space, with a cell for each column. */
export interface Row {
  readonly summary: Summary;
  /** `reference`: what methods are compared with, and no competitor. Those of guessing, and of a model whose zero-shot run is not there, have no runs. */
  readonly role: "reference" | "method";
  /** Whether the space is another than the run's own; such a row stands below that of the run. */
  readonly elsewhere: boolean;
  readonly cells: readonly Cell[];
}

/** Runs of one stream side by side. */
export interface Comparison {
  readonly datasets: readonly string[];
  /** Columns that have a value in some row. */
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
  /** What a person would say of it; "" where nothing was learned. */
  readonly sentence: string;
  /** What a deviation is ("" where there is none), and when a number is bold ("" where no methods compete). */
  readonly notes: { readonly seeds: string; readonly bold: string };
}

/** Methods that learn a stream task by task: only these compete. */
export const learnsByTask = (s: Summary): boolean => !isStill(s) && !isJoint(s) && s.metrics.learned.mean !== null;

const metric = (name: MetricName, heading: string, meaning: string, better: Better): Column => ({
  ...{ heading, meaning, better },
  value: (s) => s.metrics[name],
  format: fixed(1),
  kind: "task",
});

const metrics: readonly Column[] = [
  metric("learned", "Learned", "mean accuracy on a dataset right after learning it, %", "high"),
  metric(
    "gainKept",
    "Gain kept",
    "share of what was gained over zero-shot that is left at the end of the stream, %; the last task, which nothing follows, counts too",
    "high",
  ),
  metric("transfer", "Transfer", "mean accuracy on datasets before they are learned, %", "high"),
  metric("average", "Average", "mean accuracy over all datasets and all points in time, %", "high"),
  metric("last", "Last", "mean accuracy at the end of the stream, %", "high"),
  metric("forgetting", "Forgetting", "mean drop from the best accuracy to the last, points", "low"),
];

const probeColumn = (name: string): Column => ({
  heading: name,
  meaning: `accuracy at the end of the stream on ${name}, which is never learned, %`,
  value: (s) => lastOn(s, name),
  format: fixed(1),
  better: "high",
  kind: "probe",
});

/** A column of what training costs; a model that is not trained costs nothing worth a number. */
const cost = (heading: string, meaning: string, value: (s: Summary) => number | null, format: (x: number, of?: Summary) => string): Column => ({
  ...{ heading, meaning },
  value: (s) => ({ mean: value(s), std: null }),
  format: (x, of) => (x === null ? missing : format(x, of)),
  kind: "cost",
});

/** Bytes, and the examples beside them: "40 pictures", "1.5 KiB, 12 questions". */
const keptText = (x: number, of?: Summary): string => {
  const examples = Math.round(meanOf((of?.runs ?? []).map((run) => run.examplesKept ?? 0)) ?? 0);
  if (of === undefined || examples === 0) return bytes(x);
  return [...(x === 0 ? [] : [bytes(x)]), counted(examples, isScore(of.labelSpace) ? "question" : "picture")].join(", ");
};

const costs: readonly Column[] = [
  cost("Trainable", "parameters trained in each task", (s) => (isStill(s) ? null : s.trainableParameters), count),
  cost(
    "Kept",
    "what is kept beside the weights after the last task; examples are references to the data, which weigh nothing here",
    (s) => (isStill(s) ? null : s.bytesKept.mean),
    keptText,
  ),
  cost("Time", "wall time of one run", (s) => s.seconds.mean, duration),
];

/** The columns of some entries, after the method's name: those that have a value in one of them. References of no runs do not keep a column. */
export const columnsOf = (summaries: readonly Summary[]): readonly Column[] => {
  return [...metrics, ...probeNames(summaries).map(probeColumn), ...costs].filter((c) => summaries.some((s) => s.runs.length > 0 && c.value(s).mean !== null));
};

/** A row before its cells are written. */
type Entry = Omit<Row, "cells">;

/** Whether an accuracy was measured of a row; what never moves has a forgetting of 0 without any. */
const isMeasured = ({ metrics: { learned, transfer, average, last }, probes }: Summary): boolean =>
  [learned, transfer, average, last, ...probes.map((probe) => probe.last)].some(({ mean }) => mean !== null);

/** An entry in all its label spaces. */
const entries = (summary: Summary): readonly Entry[] =>
  inEverySpace(summary)
    .filter((s) => s === summary || isMeasured(s))
    .map((s, i) => ({ summary: s, role: learnsByTask(s) ? "method" : "reference", elsewhere: i > 0 }));

/** A reference of no runs, in every label space where what it reaches is known. */
const references = (all: readonly Entry[], known: (s: Summary) => AccuracyRow, of: typeof guessing): readonly Entry[] =>
  groupBy<Summary>((s) => s.labelSpace)(all.map(({ summary }) => summary).filter((s) => known(s).some((x) => x !== null)))
    .map(([s]) => of(s, s.labelSpace !== all[0].summary.labelSpace))
    .filter(isMeasured)
    .map((summary, i) => ({ summary, role: "reference", elsewhere: i > 0 }));

/** References first: guessing, what never trains, what does not learn task by task. Then the methods. */
const ordered = (summaries: readonly Summary[]): readonly Entry[] => {
  const rank = (s: Summary): number => (isStill(s) ? 0 : learnsByTask(s) ? 2 : 1);
  const all = [0, 1, 2].flatMap((r) => summaries.filter((s) => rank(s) === r)).flatMap(entries);
  const measured = summaries.some(isStill);
  return [...references(all, (s) => s.chance, guessing), ...(measured ? [] : references(all, (s) => s.zeroShot, untrained)), ...all];
};

/** The cells of a column, a row each. Methods compete with those that were scored in the same label space. */
const cellsOf = (c: Column, rows: readonly Entry[]): readonly Cell[] => {
  // What does not depend on the label space is said once, and guessing costs nothing.
  const filled = rows.filter(({ summary, elsewhere }) => c.kind === "task" || (!elsewhere && (c.kind === "probe" || summary.runs.length > 0)));
  const rivals = groupBy<Entry>(({ summary }) => summary.labelSpace)(c.better === undefined ? [] : filled.filter(({ role }) => role === "method"));
  const best = rivals.map((group) => leader(group, ({ summary }) => c.value(summary), c.better));
  return rows.map((row) => {
    if (!filled.includes(row)) return { mean: "", deviation: "", best: false };
    const { mean, std } = c.value(row.summary);
    return { mean: c.format(mean, row.summary), deviation: std === null ? "" : c.format(std), best: best.includes(row) };
  });
};

/** What the deviations are, and the rule of what is bold. */
const notesOf = (summaries: readonly Summary[]): Comparison["notes"] => {
  const methods = summaries.filter(learnsByTask);
  const several = summaries.filter((s) => s.runs.length > 1);
  return {
    seeds: several.length === 0 ? "" : `Mean \u00b1 sample standard deviation over ${seedsOf(several)} seeds.`,
    bold: methods.length < 2 ? "" : methods.every((s) => s.runs.length === 1) ? oneSeed : boldRule,
  };
};

/** The rule of what is bold. */
export const boldRule = "Bold: more than two standard deviations of the difference ahead of every other method.";
const oneSeed = "Nothing is bold: one seed does not say how much a difference means.";

/** The names of a stream's tasks, in one line. */
export const streamText = (datasets: readonly string[]): string => datasets.map((name) => legible(name)).join(" \u2192 ");

const comparison = (summaries: readonly Summary[]): Comparison => {
  const rows = ordered(summaries);
  const [{ labelSpace }] = summaries;
  const columns = columnsOf(rows.map(({ summary }) => summary));
  const cells = columns.map((c) => cellsOf(c, rows));
  return {
    datasets: summaries[0].datasets,
    columns,
    rows: rows.map((row, i) => ({ ...row, cells: cells.map((column) => column[i]) })),
    sentence: sentence(summaries.filter((s) => learnsByTask(s) && s.labelSpace === labelSpace)),
    notes: notesOf(summaries),
  };
};

/**
 * The comparison of some entries, one for each stream: numbers of different streams do not compare. The row of an entry in its own label space holds the
 * entry itself.
 *
 * ```ts
 * assert.deepEqual(report.comparisons(report.summarise([])), []);
 * ```
 */
export const comparisons = (summaries: readonly Summary[]): readonly Comparison[] =>
  groupBy<Summary>((s) => JSON.stringify(s.datasets))(summaries).map(comparison);
