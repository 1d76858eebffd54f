/** Results as a notebook shows them: any object with `Symbol.for("Jupyter.display")` is displayed by Deno's kernel. */
import { comparisons } from "../report/comparison.ts";
import { fixed } from "../report/format.ts";
import { heatMap, heatMapText, type HeatMap } from "./heatMap.ts";
import { curvePanels, reportBody, summaryTable } from "./html.ts";
import { rampKey } from "./matrixTable.ts";
import { niceDomain } from "./palette.ts";
import { modulePlace, rankText } from "./rankTable.ts";
import type { RunResult } from "../report/result.ts";
import { styleSheet } from "./style.ts";
import { summarise, type Summary } from "../report/summary.ts";
import { textTable } from "../report/table.ts";

/** MIME type to content. */
export type MimeBundle = Readonly<Record<string, string>>;

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** What a notebook's kernel asks for its MIME bundle. */
export interface Displayable {
  readonly [jupyterDisplay]: () => MimeBundle;
}

/** HTML in the report's style, and the text that stands for it where there is no HTML. */
export const displayable = (html: string, text: string): Displayable => ({
  [jupyterDisplay]: () => ({ "text/html": `<div class="cambium" style="padding:.5rem 1rem"><style>${styleSheet}</style>${html}</div>`, "text/plain": text }),
});

/** The comparison, matrices, curves and ranks of some results: the whole report in one notebook cell. */
export const display = (results: readonly RunResult[]): Displayable => displayable(reportBody(results), textTable(results));

/** The comparison of some results as a table. */
export const displayTable = (results: readonly RunResult[]): Displayable =>
  displayable(
    comparisons(summarise(results))
      .map((c) => summaryTable(c))
      .join("\n"),
    textTable(results),
  );

/** Heat maps side by side on one scale, with its key. */
const displayMaps = (maps: readonly HeatMap[], [low, high]: readonly [number, number], unit: string): Displayable =>
  displayable(
    `<div class="maps">${maps.map((map) => heatMap(map, [low, high])).join("\n")}</div>
<div class="key">${rampKey(`${fixed(0)(low)}${unit}`, `${fixed(0)(high)}${unit}`)}</div>`,
    maps.map(heatMapText).join("\n\n"),
  );

/** Zero-shot on top, then a row after each task, as far as it was measured; a frame where a task has just been learned. */
const accuracyMap = (s: Summary): HeatMap => {
  const learned = s.trainableParameters > 0 ? s.matrix.map((row, i) => ({ name: `after ${s.datasets[i]}`, row })) : [];
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
export const displayMatrices = (results: readonly RunResult[]): Displayable => {
  const maps = summarise(results).map(accuracyMap);
  return displayMaps(maps, niceDomain(maps.flatMap(({ values }) => values.flat())), "\u2009%");
};

/** How the accuracy on each dataset moves from task to task: a panel a dataset, a line a method. */
export const displayCurves = (results: readonly RunResult[]): Displayable => {
  const summaries = summarise(results);
  return displayable(curvePanels(summaries), summaries.map((s) => heatMapText(accuracyMap(s))).join("\n\n"));
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
export const displayRanks = (results: readonly RunResult[]): Displayable => {
  const maps = summarise(results).flatMap((s) => s.ranks.flatMap((ranks, task) => (Object.keys(ranks).length === 0 ? [] : [rankMap(s, task)])));
  return displayMaps(maps, [0, Math.max(1, ...maps.flatMap(({ values }) => values.flat()).map((rank) => rank ?? 0))], "");
};
