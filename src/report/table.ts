/** The table that compares runs: for a terminal and as Markdown. */
import { count, duration, fixed, missing } from "./format.ts";
import type { RunResult } from "./result.ts";
import { summarise } from "./summary.ts";
import type { Spread, Summary } from "./summary.ts";

/** One column: its heading, what it means, its value in an entry, how a number of it is written, and which end is the better one. */
export interface Column {
  readonly heading: string;
  readonly meaning: string;
  readonly value: (s: Summary) => Spread;
  readonly format: (x: number | null) => string;
  readonly better?: "high" | "low";
}

const one = (mean: number | null): Spread => ({ mean, std: null });

/** The columns of the comparison, after the method's name. */
export const columns: readonly Column[] = [
  {
    heading: "Transfer",
    meaning: "mean accuracy on datasets before they are learned, %",
    value: (s) => s.metrics.transfer,
    format: fixed(1),
    better: "high",
  },
  {
    heading: "Average",
    meaning: "mean accuracy over all datasets and all points in time, %",
    value: (s) => s.metrics.average,
    format: fixed(1),
    better: "high",
  },
  {
    heading: "Last",
    meaning: "mean accuracy at the end of the stream, %",
    value: (s) => s.metrics.last,
    format: fixed(1),
    better: "high",
  },
  {
    heading: "Forgetting",
    meaning: "mean drop from the best accuracy to the last, points",
    value: (s) => s.metrics.forgetting,
    format: fixed(1),
    better: "low",
  },
  {
    heading: "Trainable",
    meaning: "parameters trained in each task",
    value: (s) => one(s.trainableParameters),
    format: (x) => (x === null || x === 0 ? missing : count(x)),
  },
  { heading: "Mean rank", meaning: "mean effective rank over modules and tasks", value: (s) => s.effectiveRank, format: fixed(1) },
  { heading: "Time", meaning: "wall time of one run", value: (s) => one(s.seconds.mean), format: (x) => (x === null ? missing : duration(x)) },
];

/** The width in characters, not in UTF-16 units. */
const width = (text: string): number => [...text].length;
const pad = (n: number): string => " ".repeat(Math.max(0, n));

/** The cells of a column. Where some have a standard deviation, the others are padded by its width, so that the means stand below each other. */
const cells = (c: Column, summaries: readonly Summary[]): readonly string[] => {
  const tails = summaries.map((s) => c.value(s).std).map((std) => (std === null ? "" : ` \u00b1 ${c.format(std)}`));
  const tail = Math.max(0, ...tails.map(width));
  return summaries.map((s, i) => c.format(c.value(s).mean) + pad(tail - width(tails[i])) + tails[i]);
};

/** Texts filled up with spaces on the right to the width of the longest. */
export const alignLeft = (texts: readonly string[]): readonly string[] => texts.map((x) => x + pad(Math.max(...texts.map(width)) - width(x)));
/** Texts filled up with spaces on the left to the width of the longest. */
export const alignRight = (texts: readonly string[]): readonly string[] => texts.map((x) => pad(Math.max(...texts.map(width)) - width(x)) + x);

/** Rows of cells that are padded to their column: the headings first. */
const grid = (summaries: readonly Summary[]): readonly (readonly string[])[] => {
  const aligned = [alignLeft(["Method", ...summaries.map((s) => s.label)]), ...columns.map((c) => alignRight([c.heading, ...cells(c, summaries)]))];
  return aligned[0].map((_, row) => aligned.map((column) => column[row]));
};

/** The comparison as aligned text; with several seeds of a method as mean ± sample standard deviation, and a last line that says so. */
export const textTable = (results: readonly RunResult[]): string => {
  const summaries = summarise(results);
  const [head, ...body] = grid(summaries).map((row) => row.join("  "));
  const seeds = Math.max(1, ...summaries.map((s) => s.runs.length));
  const note = seeds > 1 ? [`mean \u00b1 sample standard deviation over ${seeds} seeds`] : [];
  return [head, "\u2500".repeat(width(head)), ...body, ...note].map((line) => line.trimEnd()).join("\n");
};

/** The comparison as a Markdown table. */
export const markdownTable = (results: readonly RunResult[]): string => {
  const summaries = summarise(results).map((s) => ({ ...s, label: s.label.replace(/\|/g, "\\|") }));
  const [head, ...body] = grid(summaries);
  const rule = head.map((cell, c) => (c === 0 ? "-".repeat(width(cell)) : `${"-".repeat(width(cell) - 1)}:`));
  return [head, rule, ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
};
