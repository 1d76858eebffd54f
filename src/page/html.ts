/**
 * The report of some runs as one HTML file: no script, no network, its style and its drawings within.
 *
 * Heat maps are HTML tables and line charts are small hand-written SVG over d3's scales. Vega renders headless in Node and Deno too,
 * but it writes colours into attributes, where the reader's light or dark theme cannot reach them, turns tables into pictures, and
 * weighs 25 MB in 75 packages.
 */
import { curves } from "./curves.ts";
import { count, escapeHtml, fixed } from "../report/format.ts";
import { prettyJson } from "../report/json.ts";
import { largestDrop, matrixKey, matrixTable, rampKey } from "./matrixTable.ts";
import type { MatrixScale } from "./matrixTable.ts";
import { niceDomain } from "./palette.ts";
import { rankTable } from "./rankTable.ts";
import type { RunResult } from "../report/result.ts";
import { styleSheet } from "./style.ts";
import { summarise } from "../report/summary.ts";
import type { Summary } from "../report/summary.ts";
import { comparisons, type Cell, type Comparison, type Row } from "../report/comparison.ts";

/** What the results do not know: a title, a sentence below it, and facts such as the command or the model, shown as a list. */
export interface ReportExtras {
  readonly title?: string;
  readonly lead?: string;
  readonly facts?: Readonly<Record<string, string>>;
}

const unique = <A>(as: readonly A[]): readonly A[] => [...new Set(as)];

const streamOf = (s: Summary): string => JSON.stringify(s.datasets);

/** The comparison as an HTML table; `anchor` is the HTML of a row's name. */
export const summaryTable = (
  { columns, rows, sentence, notes }: Comparison,
  anchor: (row: Row) => string = ({ summary }) => escapeHtml(summary.label),
): string => {
  const heads = columns.map((c) => `<th scope="col" title="${escapeHtml(c.meaning)}">${escapeHtml(c.heading)}</th>`).join("");
  const cell = ({ mean, deviation, best }: Cell, column: number): string => {
    const spreads = rows.some(({ cells }) => cells[column].deviation !== "");
    const tail = spreads ? `<span class="sd">${deviation === "" ? "" : `\u00b1\u2009${deviation}`}</span>` : "";
    return `<td${best ? ` class="best"` : ""}>${mean}${tail}</td>`;
  };
  const body = rows.map((row) => `<tr><th scope="row">${anchor(row)}</th>${row.cells.map(cell).join("")}</tr>`).join("\n");
  const meanings = columns.map((c) => `${c.heading}: ${c.meaning}.`).join(" ");
  return `<div class="scroll" tabindex="0" role="region" aria-label="Comparison of the methods"><table class="summary">
<thead><tr><th scope="col">Method</th>${heads}</tr></thead>
<tbody>${body}</tbody></table></div><p>${escapeHtml([sentence, meanings, notes.seeds, notes.bold].filter((text) => text !== "").join(" "))}</p>`;
};

const optionLine = (options: Readonly<Record<string, unknown>>): string =>
  Object.entries(options)
    .filter(([k, v]) => !["method", "seed", "out"].includes(k) && v !== undefined && (typeof v !== "object" || v === null))
    .map(([k, v]) => `${escapeHtml(k)}\u00a0${escapeHtml(String(v))}`)
    .join(" \u00b7 ");

const methodSection = (s: Summary, id: string, scale: MatrixScale, largestRank: number): string => {
  const seeds = unique(s.runs.map((r) => r.seed));
  const mean = s.runs.length > 1 ? `, mean of ${s.runs.length} seeds` : "";
  const nested = Object.values(s.runs[0].options).some((v) => typeof v === "object" && v !== null);
  const options = nested ? `<details><summary>All options</summary><pre>${escapeHtml(prettyJson(s.runs[0].options))}</pre></details>` : "";
  const parameters = s.trainableParameters === 0 ? "Nothing is trained." : `${count(s.trainableParameters)} trainable parameters a task.`;
  return `<section id="${id}"><h2>${escapeHtml(s.label)}</h2>
<p>${parameters} Seed${seeds.length > 1 ? "s" : ""} ${seeds.join(", ")}. ${optionLine(s.runs[0].options)}</p>${options}
<h3>Accuracy after each task, %${mean}</h3>
${matrixTable(s, scale)}
${matrixKey(s, scale)}
${rankSection(s, largestRank, mean)}
</section>`;
};

const rankSection = (s: Summary, largestRank: number, mean: string): string => {
  const all = unique(s.ranks.flatMap((ranks) => Object.values(ranks)));
  if (all.length === 0) return "";
  if (all.length === 1) return `<p>Every module has rank ${fixed(0)(all[0])} after every task.</p>`;
  return `<h3>Rank of each module after each task${mean}</h3>
<p>Mean over modules and tasks: ${fixed(1)(s.effectiveRank.mean)}; the largest is ${fixed(0)(largestRank)}.</p>
<div class="key">${rampKey("0", fixed(0)(largestRank))}</div>
${rankTable(s, largestRank)}`;
};

/** The curves of every stream, each with its tasks. */
export const curvePanels = (summaries: readonly Summary[]): string =>
  unique(summaries.map(streamOf))
    .map((stream) => {
      const group = summaries.filter((s) => streamOf(s) === stream);
      return `<p>${group[0].datasets.length} tasks: ${group[0].datasets.map(escapeHtml).join(" \u2192 ")}.</p>
${curves(group)}`;
    })
    .join("\n");

/** The parts of a report from results, without the page around them: what a notebook shows. */
export const reportBody = (results: readonly RunResult[]): string => {
  const summaries = summarise(results);
  if (summaries.length === 0) return "<p>No results.</p>";
  const scale: MatrixScale = {
    domain: niceDomain(summaries.flatMap((s) => [...s.zeroShot, ...s.matrix.flat()])),
    largestDrop: Math.max(...summaries.map(largestDrop)),
  };
  const largestRank = Math.max(0, ...summaries.flatMap((s) => s.ranks.flatMap((ranks) => Object.values(ranks))));
  const id = (s: Summary): string => `method-${summaries.indexOf(s) + 1}`;
  const anchor = ({ summary }: Row): string =>
    summaries.includes(summary) ? `<a href="#${id(summary)}">${escapeHtml(summary.label)}</a>` : escapeHtml(summary.label);
  return `<section>${comparisons(summaries)
    .map((c) => summaryTable(c, anchor))
    .join("\n")}</section>
<section><h2>What is kept and what is lost</h2>
<p>Accuracy on each dataset (%) over the tasks learned, from zero-shot at 0; the dotted upright is the task that learns it.
Each panel has its own scale.</p>
${curvePanels(summaries)}</section>
${summaries.map((s) => methodSection(s, id(s), scale, largestRank)).join("\n")}`;
};

/** A whole report: one HTML document that stands alone. */
export const htmlReport = (results: readonly RunResult[], extras: ReportExtras = {}): string => {
  const title = extras.title ?? "What the stream left";
  const adapters = unique(results.map((r) => r.adapter));
  const facts = { ...extras.facts, ...(adapters.length > 0 ? { Adapter: adapters.join("; ") } : {}) };
  const list = Object.entries(facts)
    .map(([k, v]) => `<dt>${escapeHtml(k)}</dt><dd>${escapeHtml(v)}</dd>`)
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>
html,body{margin:0}
${styleSheet}</style>
</head>
<body class="cambium"><main>
<header><h1>${escapeHtml(title)}</h1>
${extras.lead === undefined ? "" : `<p class="lead">${escapeHtml(extras.lead)}</p>`}
${list === "" ? "" : `<dl>${list}</dl>`}</header>
${reportBody(results)}
<footer>Cambium</footer>
</main></body>
</html>
`;
};
