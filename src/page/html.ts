/**
 * The report of some runs as one HTML file: no script, no network, its style, drawings and pictures within.
 *
 * Heat maps are HTML tables and line charts are small hand-written SVG over d3's scales. Vega renders headless in Node and Deno too,
 * but it writes colours into attributes, where the reader's light or dark theme cannot reach them, turns tables into pictures, and
 * weighs 25 MB in 75 packages.
 */
import { escapeHtml } from "../report/format.ts";
import { reportBody } from "./body.ts";
import { reportOf, type Shown } from "./entries.ts";
import type { Pictures } from "./gallery.ts";
import { unique } from "./markup.ts";
import { styleSheet } from "./style.ts";

/** What the runs do not know: a title, a sentence below it, facts such as the command or the model, and pictures as `data:` URIs. */
export interface ReportExtras {
  readonly title?: string;
  readonly lead?: string;
  readonly facts?: Readonly<Record<string, string>>;
  readonly pictures?: Pictures;
}

/** A whole report: one HTML document that stands alone. */
export const htmlReport = (runs: readonly Shown[], extras: ReportExtras = {}): string => {
  const title = extras.title ?? "What the stream left";
  const adapters = unique(runs.map((run) => reportOf(run).result.adapter).filter((line) => line !== ""));
  const facts = { ...extras.facts, ...(adapters.length > 0 ? { Adapter: adapters.join("; ") } : {}) };
  const list = Object.entries(facts)
    .map(([k, v]) => `<div><dt>${escapeHtml(k)}</dt> <dd>${escapeHtml(v)}</dd></div>`)
    .join("\n");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escapeHtml(title)}</title>
<style>
html,body{margin:0}
${styleSheet}</style>
</head>
<body class="cambium"><main>
<header><h1>${escapeHtml(title)}</h1>
${extras.lead === undefined ? "" : `<p class="lead">${escapeHtml(extras.lead)}</p>`}
${list === "" ? "" : `<dl class="facts">${list}</dl>`}</header>
${reportBody(runs, extras.pictures)}
<footer>Cambium</footer>
</main></body>
</html>
`;
};
