/** The comparison of runs as plain data: what `--json` prints of it. */
import { comparisons, type Row } from "./comparison.ts";
import type { MetricName, RunResult } from "./result.ts";
import { summarise, type Spread } from "./summary.ts";

/** One row: a method with its options in one label space. Means and sample standard deviations over the seeds; no seeds stand behind guessing. */
export interface RowData {
  readonly method: string;
  readonly label: string;
  readonly labelSpace: string;
  readonly role: Row["role"];
  readonly seeds: readonly number[];
  readonly metrics: Readonly<Record<MetricName, Spread>>;
  /** What is left of each probe at the end, percent. */
  readonly probes: Readonly<Record<string, Spread>>;
  readonly trainableParameters: number;
  /** Bytes beside the weights. */
  readonly bytesKept: Spread;
  readonly effectiveRank: Spread;
  readonly seconds: Spread;
}

/** One stream: its tasks in their order, a row for each method and label space, and what a person would say of them. */
export interface ComparisonData {
  readonly tasks: readonly string[];
  readonly rows: readonly RowData[];
  readonly sentence: string;
}

const rowData = ({ summary, role }: Row): RowData => {
  const { method, label, labelSpace, runs, metrics, probes, trainableParameters, bytesKept, effectiveRank, seconds } = summary;
  return {
    ...{ method, label, labelSpace, role },
    seeds: runs.map(({ seed }) => seed),
    metrics,
    probes: Object.fromEntries(probes.map(({ name, last }) => [name, last])),
    ...{ trainableParameters, bytesKept, effectiveRank, seconds },
  };
};

/**
 * The comparison of some runs, one for each stream, with every digit.
 *
 * ```ts
 * assert.deepEqual(report.comparisonData([]), []);
 * ```
 */
export const comparisonData = (results: readonly RunResult[]): readonly ComparisonData[] =>
  comparisons(summarise(results)).map(({ datasets, rows, sentence }) => ({ tasks: datasets, rows: rows.map(rowData), sentence }));
