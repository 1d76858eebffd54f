/** Results as a notebook shows them: any object with `Symbol.for("Jupyter.display")` is displayed by Deno's kernel. */
import type { MimeBundle } from "../platform/platform.ts";
import { fixed } from "../report/format.ts";
import { heatMap, heatMapText, type HeatMap } from "./heatMap.ts";
import { comparisonPart, curvePanels, reportBody } from "./body.ts";
import { byStream, entriesOf, isStill, reportOf, type Shown } from "./entries.ts";
import { pictureKey, type Pictures } from "./gallery.ts";
import { rampKey } from "./matrixTable.ts";
import { fromZero } from "./palette.ts";
import { modulePlace, rankText } from "./rankTable.ts";
import { repliesGallery, repliesText } from "./replies.ts";
import { styleSheet } from "./style.ts";
import type { RunResult } from "../report/result.ts";
import { summarise, type Summary } from "../report/summary.ts";
import { textTable } from "../report/table.ts";

export type { MimeBundle } from "../platform/platform.ts";

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** What a notebook's kernel asks for its MIME bundle. */
export interface Displayable {
  readonly [jupyterDisplay]: () => MimeBundle;
}

/** HTML in the report's style, and the text that stands for it where there is no HTML. */
export const displayable = (html: string, text: string): Displayable => ({
  [jupyterDisplay]: () => ({ "text/html": `<div class="cambium" style="padding:.5rem 1rem"><style>${styleSheet}</style>${html}</div>`, "text/plain": text }),
});

/** What a notebook shows of it. */
export const bundleOf = (shown: Displayable): MimeBundle => shown[jupyterDisplay]();

/** Whether something is made to be shown. */
export const isDisplayable = (u: object): u is Displayable => jupyterDisplay in u;

const resultsOf = (runs: readonly Shown[]): readonly RunResult[] => runs.map((run) => reportOf(run).result);

/** The comparison, curves, matrices and ranks of some runs: the whole report in one notebook cell, with these pictures. */
export const display = (runs: readonly Shown[], pictures?: Pictures): Displayable => displayable(reportBody(runs, pictures), textTable(resultsOf(runs)));

/** The comparison of some runs as a table. */
export const displayTable = (runs: readonly Shown[]): Displayable => displayable(comparisonPart(entriesOf(runs)), textTable(resultsOf(runs)));

/** Heat maps side by side on one scale, with its key. */
const displayMaps = (maps: readonly HeatMap[], [low, high]: readonly [number, number], unit: string): Displayable =>
  displayable(
    `<div class="maps">${maps.map((map) => heatMap(map, [low, high])).join("\n")}</div>
<div class="key">${rampKey(`${fixed(0)(low)}${unit}`, `${fixed(0)(high)}${unit}`)}</div>`,
    maps.map(heatMapText).join("\n\n"),
  );

/** Zero-shot on top, then a row after each task, as far as it was measured; a frame where a task has just been learned. */
const accuracyMap = (s: Summary): HeatMap => {
  const learned = !isStill(s) ? s.matrix.map((row, i) => ({ name: `after ${s.datasets[i]}`, row })) : [];
  const shown = [{ name: "zero-shot", row: s.zeroShot }, ...learned];
  return {
    title: s.label,
    rows: shown.map(({ name }) => name),
    columns: s.datasets,
    values: shown.map(({ row }) => row),
    format: fixed(1),
    framed: (i, j) => i === j + 1,
  };
};

/** The accuracy matrices of some results, percent, as heat maps on one scale. */
export const displayMatrices = (runs: readonly Shown[]): Displayable => {
  const maps = summarise(resultsOf(runs)).map(accuracyMap);
  return displayMaps(maps, fromZero(maps.flatMap(({ values }) => values.flat())), "\u2009%");
};

/** How the accuracy on each dataset moves from task to task: a panel a dataset, a line a method. */
export const displayCurves = (runs: readonly Shown[]): Displayable => {
  const entries = entriesOf(runs);
  return displayable(curvePanels(entries), entries.map(({ summary }) => heatMapText(accuracyMap(summary))).join("\n\n"));
};

/**
 * Test questions with what each method answered, before and after, with these pictures: first those that were lost, then those that were won. Runs that hold no
 * answers in words show none.
 */
export const displayReplies = (runs: readonly Shown[], pictures: Pictures = new Map()): Displayable => {
  const streams = byStream(entriesOf(runs));
  const html = streams.map((entries) => repliesGallery(entries, (dataset, id) => pictures.get(pictureKey(dataset, id)))).join("\n");
  return displayable(html === "" ? "<p>No answers.</p>" : html, streams.map(repliesText).join("\n\n"));
};

/** The ranks after one task: a row for each layer of each tower, a column for each linear of a layer. */
const rankMap = (s: Summary, task: number): HeatMap => {
  const places = Object.entries(s.ranks[task]).map(([name, rank]) => {
    const { tower, layer, part } = modulePlace(name);
    return { row: [tower.split(" ")[0].toLowerCase(), ...(layer === null ? [] : [layer])].join(" "), part, rank };
  });
  const rows = [...new Set(places.map(({ row }) => row))];
  const columns = [...new Set(places.map(({ part }) => part))];
  const values = rows.map((r) => columns.map((c) => places.find(({ row, part }) => row === r && part === c)?.rank ?? null));
  return { title: `${s.label} after ${s.datasets[task]}`, rows, columns, values, format: rankText };
};

/** The rank that lives in each linear layer after each task, as heat maps on one scale; methods without ranks have none. */
export const displayRanks = (runs: readonly Shown[]): Displayable => {
  const maps = summarise(resultsOf(runs)).flatMap((s) => s.ranks.flatMap((ranks, task) => (Object.keys(ranks).length === 0 ? [] : [rankMap(s, task)])));
  return displayMaps(maps, [0, Math.max(1, ...maps.flatMap(({ values }) => values.flat()).map((rank) => rank ?? 0))], "");
};
