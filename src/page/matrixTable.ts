/** An accuracy matrix as a heat map: an HTML table, so that it can be read aloud, copied and searched. */
import { escapeHtml, fixed, signed } from "../report/format.ts";
import { meanOf } from "../report/metrics.ts";
import type { Summary } from "../report/summary.ts";
import { isJoint, isStill } from "./entries.ts";
import { breakable, scrolling } from "./markup.ts";
import { fromZero, level, levels } from "./palette.ts";

/** What all matrices of a report share, so that they can be compared: colour ends in percent, and the drop (points) of a full bar. */
export interface MatrixScale {
  readonly domain: readonly [number, number];
  readonly largestDrop: number;
}

/** A full bar stands for at least so many points: no loss at all must not look like the loss of all. */
const leastFullBar = 5;

/** The scale of some matrices: from 0 on, since the colour of a cell says how much is right. */
export const matrixScale = (summaries: readonly Summary[]): MatrixScale => ({
  domain: fromZero(summaries.flatMap((s) => [...s.zeroShot, ...s.matrix.flat()])),
  largestDrop: Math.max(leastFullBar, ...summaries.map(largestDrop)),
});

const percent = fixed(1);

/** From how many datasets on cells are small and carry no second line. */
const denseFrom = 15;

/** From how many datasets on their names stand upright: on any page, and on a narrow one. */
const upright = { wide: 7, narrow: 4 };

/**
 * What a cell is compared with, in points: before its dataset is learned with zero-shot (on the diagonal too), afterwards with the
 * accuracy right after learning it. `null` where either was not measured.
 */
export const change = (s: Summary, i: number, j: number): number | null => {
  const now = s.matrix[i]?.[j] ?? null;
  const then = (i <= j ? s.zeroShot[j] : s.matrix[j]?.[j]) ?? null;
  return now === null || then === null ? null : now - then;
};

/** The largest drop that any cell of a summary shows, in points, the diagonal left out. */
export const largestDrop = (s: Summary): number => Math.max(0, ...s.matrix.flatMap((row, i) => row.map((_, j) => (i === j ? 0 : -(change(s, i, j) ?? 0)))));

const hole = `<td class="hole" title="not measured">\u00b7</td>`;

const cell = (s: Summary, scale: MatrixScale, i: number, j: number): string => {
  const value = s.matrix[i][j];
  if (value === null) return hole;
  const delta = isJoint(s) ? null : change(s, i, j);
  const against = i <= j ? "zero-shot" : "right after learning it";
  const told = delta === null ? "" : `, ${signed(delta)} points against ${against}`;
  const title = escapeHtml(`${s.datasets[j]} after task ${i + 1} (${s.datasets[i]}): ${percent(value)} %${told}`);
  const note = s.datasets.length < denseFrom && delta !== null ? `<small>${signed(delta)}</small>` : "";
  const share = i !== j && delta !== null && delta < 0 ? (-delta / scale.largestDrop) * 100 : 0;
  // A bar of less than a pixel or two would be a speck.
  const bar = share >= 3 ? `<u style="width:${share.toFixed(0)}%"></u>` : "";
  return `<td class="v${level(scale.domain)(value)}${i === j && !isJoint(s) ? " diag" : ""}" title="${title}">${percent(value)}${note}${bar}</td>`;
};

const metrics = { transfer: "Transfer", average: "Average", last: "Last", forgetting: "Forgetting", gainKept: "Gain kept" } as const;

/** The metrics that have a value; of a stream of which one row is shown they would repeat it. */
const footer = (s: Summary): string =>
  (Object.keys(metrics) as (keyof typeof metrics)[])
    .filter((name) => !isJoint(s) && !isStill(s) && s.perDataset[name].some((x) => x !== null))
    .map((name) => {
      const write = name === "gainKept" ? fixed(0) : percent;
      const cells = s.datasets.map((_, j) => `<td>${write(s.perDataset[name][j] ?? null)}</td>`).join("");
      return `<tr><th scope="row">${metrics[name]}</th>${cells}<td class="mean">${percent(s.metrics[name].mean)}</td></tr>`;
    })
    .join("\n");

/** The rows that are shown: of a model that trains nothing only the zero-shot row, of joint training only the last. */
const shows = (s: Summary, i: number): boolean => !isStill(s) && s.matrix[i].some((x) => x !== null);

const rowHead = (s: Summary, i: number): string =>
  isJoint(s) ? `<th scope="row">all at once</th>` : `<th scope="row" title="${escapeHtml(s.datasets[i])}">${i + 1}\u2002${escapeHtml(s.datasets[i])}</th>`;

const zeroCell = (s: Summary, scale: MatrixScale, j: number): string => {
  const x = s.zeroShot[j] ?? null;
  const title = `${escapeHtml(s.datasets[j])} zero-shot: ${percent(x)} %`;
  return x === null ? hole : `<td class="v${level(scale.domain)(x)}" title="${title}">${percent(x)}</td>`;
};

/** The heat map of one summary: the zero-shot row on top, a row after each task, and the metrics of each dataset below. */
export const matrixTable = (s: Summary, scale: MatrixScale): string => {
  const heads = s.datasets.map((name) => `<th scope="col" title="${escapeHtml(name)}"><span>${breakable(name)}</span></th>`).join("");
  const rows = s.matrix
    .flatMap((row, i) =>
      shows(s, i) ? [`<tr>${rowHead(s, i)}${row.map((_, j) => cell(s, scale, i, j)).join("")}<td class="mean">${percent(meanOf(row))}</td></tr>`] : [],
    )
    .join("\n");
  const foot = footer(s);
  const size = s.datasets.length;
  const look = `heat matrix${size >= denseFrom ? " dense" : ""}${size >= upright.wide ? " tall" : size >= upright.narrow ? " slim" : ""}`;
  const zero = s.datasets.map((_, j) => zeroCell(s, scale, j)).join("");
  const table = `<table class="${look}" style="--n:${size + 1}">
<thead><tr><th scope="col">after task</th>${heads}<th scope="col">mean</th></tr></thead>
<tbody><tr class="zero"><th scope="row">zero-shot</th>${zero}<td class="mean">${percent(meanOf(s.zeroShot))}</td></tr>
${rows}</tbody>${foot === "" ? "" : `<tfoot>${foot}</tfoot>`}
</table>`;
  return scrolling(`Accuracy matrix of ${s.label}`, table);
};

/** A colour ramp with its two ends named. */
export const rampKey = (low: string, high: string): string => {
  const steps = Array.from({ length: levels }, (_, i) => `<i class="v${i}"></i>`).join("");
  return `<span>${low}<span class="ramp" aria-hidden="true">${steps}</span>${high}</span>`;
};

/** The key of some matrices: colours and, where a stream was learned task by task, the diagonal, the second line and the bar. */
export const matrixKey = (summaries: readonly Summary[], scale: MatrixScale): string => {
  const learned = summaries.filter((s) => !isStill(s) && !isJoint(s));
  const lost = learned.some((s) => largestDrop(s) > 0);
  const entries = [
    rampKey(`${fixed(0)(scale.domain[0])}\u2009%`, `${fixed(0)(scale.domain[1])}\u2009%`),
    ...(learned.length > 0 ? [`<span><i class="box" aria-hidden="true"></i>right after learning it</span>`] : []),
    ...(learned.some((s) => s.datasets.length < denseFrom)
      ? ["<span>small figures: points against zero-shot up to the diagonal, against the diagonal below it</span>"]
      : []),
    ...(lost ? [`<span><i class="bar" aria-hidden="true"></i>points lost, full width ${percent(scale.largestDrop)}</span>`] : []),
  ];
  return `<div class="key">${entries.join("\n")}</div>`;
};
