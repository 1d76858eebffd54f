/** Tables as CSV (RFC 4180): every digit, nothing rounded, empty where there is no value. */
import { comparisons, streamText } from "./comparison.ts";
import { matrixRows } from "./matrix.ts";
import type { MetricName, RunResult } from "./result.ts";
import { lastOn, probeNames, summarise, type Spread, type Summary } from "./summary.ts";

type Field = string | number | null;

/** A field, in quotes where it holds what separates fields or rows. */
const field = (x: Field): string => {
  const text = x === null ? "" : String(x);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};

/** Rows as CSV, the heading first. */
export const csv = (rows: readonly (readonly Field[])[]): string => rows.map((row) => `${row.map(field).join(",")}\r\n`).join("");

const metrics: Readonly<Record<MetricName, string>> = {
  learned: "learned",
  gainKept: "gain_kept",
  transfer: "transfer",
  average: "average",
  last: "last",
  forgetting: "forgetting",
  bwt: "bwt",
  fwt: "fwt",
};

/** The two columns of a value: its mean and its standard deviation. */
const both = (name: string, value: (s: Summary) => Spread): readonly (readonly [string, (s: Summary) => Field])[] => [
  [name, (s) => value(s).mean],
  [`${name}_sd`, (s) => value(s).std],
];

/**
 * The comparison as CSV, one row a method and label space: every metric as mean and sample standard deviation over the seeds, probes, and what training
 * cost, in bytes and seconds. Rows of guessing, which no run measured, have 0 seeds.
 *
 * ```ts
 * assert.equal(report.csvTable([]).split(",")[0], "method");
 * ```
 */
export const csvTable = (results: readonly RunResult[]): string => {
  const rows = comparisons(summarise(results)).flatMap((c) => c.rows.map(({ summary }) => summary));
  const columns: readonly (readonly [string, (s: Summary) => Field])[] = [
    ["method", (s) => s.method],
    ["label", (s) => s.label],
    ["label_space", (s) => s.labelSpace],
    ["tasks", (s) => streamText(s.datasets)],
    ["seeds", (s) => s.runs.length],
    ...Object.entries(metrics).flatMap(([name, heading]) => both(heading, (s) => s.metrics[name as MetricName])),
    ...probeNames(rows).flatMap((name) => both(`probe ${name}`, (s) => lastOn(s, name))),
    ["trainable_parameters", (s) => s.trainableParameters],
    ...both("bytes_kept", (s) => s.bytesKept),
    ...both("effective_rank", (s) => s.effectiveRank),
    ...both("seconds", (s) => s.seconds),
  ];
  return csv([columns.map(([name]) => name), ...rows.map((s) => columns.map(([, value]) => value(s)))]);
};

/** An accuracy matrix as CSV, percent: the zero-shot row, a row after each task, and the metrics of each dataset; the last column has their means. */
export const matrixCsv = (s: Summary): string =>
  csv([["after", ...s.datasets, "mean"], ...matrixRows(s).map(({ name, values, mean }) => [name, ...values, mean])]);
