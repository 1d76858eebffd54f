/** Tables as Markdown and as LaTeX: the comparison of methods, and the accuracy matrix of one. */
import { legible } from "../failure.ts";
import { boldRule, comparisons, streamText, type Cell, type Comparison } from "./comparison.ts";
import { fixed } from "./format.ts";
import { matrixRows } from "./matrix.ts";
import type { RunResult } from "./result.ts";
import { summarise, type Summary } from "./summary.ts";
import { alignLeft, alignRight } from "./table.ts";

/** A table before it is written: rows in groups with a line between them, each a name and a cell for every heading. */
interface Grid {
  readonly heads: readonly string[];
  readonly groups: readonly (readonly { readonly name: string; readonly cells: readonly Cell[] }[])[];
  /** What stands below it. */
  readonly notes: readonly string[];
}

const comparisonGrid = ({ columns, rows, sentence, notes }: Comparison): Grid => {
  const written = rows.map(({ summary, role, cells }) => ({ role, name: summary.label, cells }));
  // A rule of what is bold has nothing to explain where nothing is.
  const ruled = notes.bold === boldRule && !rows.some(({ cells }) => cells.some(({ best }) => best)) ? "" : notes.bold;
  return {
    heads: ["Method", ...columns.map(({ heading }) => heading)],
    groups: [written.filter(({ role }) => role === "reference"), written.filter(({ role }) => role === "method")],
    notes: [sentence, notes.seeds, ruled].filter((note) => note !== ""),
  };
};

const matrixGrid = (s: Summary): Grid => {
  const cell = (x: number | null): Cell => ({ mean: fixed(1)(x), deviation: "", best: false });
  const rows = matrixRows(s).map(({ kind, name, values, mean }) => ({ kind, name, cells: [...values, mean].map(cell) }));
  return {
    heads: ["After", ...s.datasets, "mean"],
    groups: (["zero-shot", "task", "metric"] as const).map((wanted) => rows.filter(({ kind }) => kind === wanted)),
    notes: [],
  };
};

/** A text in one line, as Markdown shows it: without what it takes for markup, also within a table. */
export const markdownText = (text: string): string => legible(text, Infinity).replace(/[\\`*_[\]<>|~$&]/g, "\\$&");

const markdown = ({ heads, groups, notes }: Grid): string => {
  const number = ({ mean, deviation, best }: Cell): string =>
    (best ? `**${markdownText(mean)}**` : markdownText(mean)) + (deviation === "" ? "" : ` \u00b1 ${deviation}`);
  const rows = groups.flat().map(({ name, cells }) => [markdownText(name), ...cells.map(number)]);
  const columns = heads.map((head, c) => (c === 0 ? alignLeft : alignRight)([markdownText(head), ...rows.map((row) => row[c])]));
  const [head, ...body] = columns[0].map((_, r) => columns.map((column) => column[r]));
  const rule = head.map((cell, c) => (c === 0 ? "-".repeat([...cell].length) : `${"-".repeat(Math.max(1, [...cell].length - 1))}:`));
  const table = [head, rule, ...body].map((row) => `| ${row.join(" | ")} |`).join("\n");
  return [table, ...(notes.length === 0 ? [] : [notes.map(markdownText).join(" ")])].join("\n\n");
};

const latexWords: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
  "<": "\\textless{}",
  ">": "\\textgreater{}",
  "|": "\\textbar{}",
  "\u00b1": "$\\pm$",
  "\u2212": "$-$",
  "\u2013": "--",
  "\u2192": "$\\rightarrow$",
};

/** A text in one line, as LaTeX sets it. `[` and `*` behind the end of a row would belong to it, so they stand in braces. */
const latexText = (text: string): string =>
  legible(text, Infinity).replace(/[\\~^<>|\u00b1\u2212\u2013\u2192_%&#${}[\]*]/g, (c) => latexWords[c] ?? (/[[\]*]/.test(c) ? `{${c}}` : `\\${c}`));

const latex = ({ heads, groups, notes }: Grid): string => {
  const number = ({ mean, deviation, best }: Cell): string => {
    const value = best ? `\\textbf{${latexText(mean)}}` : latexText(mean);
    return deviation === "" ? value : `${value} $\\pm$ ${latexText(deviation)}`;
  };
  const row = (cells: readonly string[]): string => `${cells.join(" & ")} \\\\`;
  const bodies = groups
    .filter((group) => group.length > 0)
    .map((group) => group.map(({ name, cells }) => row([latexText(name), ...cells.map(number)])).join("\n"));
  return [
    "% \\usepackage{booktabs}",
    `\\begin{tabular}{l${"r".repeat(heads.length - 1)}}`,
    "\\toprule",
    row(heads.map(latexText)),
    ...bodies.map((body) => `\\midrule\n${body}`),
    "\\bottomrule",
    "\\end{tabular}",
    ...notes.map((note) => `% ${note}`),
  ].join("\n");
};

/** The tables of all streams, each under the names of its tasks where there are several. */
const tables = (results: readonly RunResult[], write: (grid: Grid) => string, caption: (text: string) => string): string => {
  const all = comparisons(summarise(results));
  return all.map((c) => (all.length === 1 ? "" : `${caption(streamText(c.datasets))}\n\n`) + write(comparisonGrid(c))).join("\n\n");
};

/** The comparison as Markdown tables with what is to be said below; the best is bold by the rule of {@link leads}. */
export const markdownTable = (results: readonly RunResult[]): string => tables(results, markdown, markdownText);

/** The comparison as LaTeX tables of the package booktabs; what is to be said stands in comments below. */
export const latexTable = (results: readonly RunResult[]): string => tables(results, latex, (text) => `% ${text}`);

/** An accuracy matrix as a Markdown table, percent. */
export const matrixMarkdown = (s: Summary): string => markdown(matrixGrid(s));

/** An accuracy matrix as a LaTeX table of the package booktabs, percent. */
export const matrixLatex = (s: Summary): string => latex(matrixGrid(s));

const plain = ([heads, ...rows]: readonly (readonly string[])[]): Grid => ({
  heads,
  groups: [rows.map(([name, ...cells]) => ({ name, cells: cells.map((mean) => ({ mean, deviation: "", best: false })) }))],
  notes: [],
});

/** Rows of texts as a Markdown table, the heading first. */
export const markdownRows = (rows: readonly (readonly string[])[]): string => markdown(plain(rows));

/** Rows of texts as a LaTeX table of the package booktabs, the heading first. */
export const latexRows = (rows: readonly (readonly string[])[]): string => latex(plain(rows));
