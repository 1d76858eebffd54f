/** An accuracy matrix as a heat map: an HTML table, so that it can be read aloud, copied and searched. */
import { escapeHtml, fixed, signed } from "../report/format.ts";
import { level, levels } from "./palette.ts";
import type { Summary } from "../report/summary.ts";

/** What all matrices of a report share, so that they can be compared: colour ends in percent, and the drop (points) of a full bar. */
export interface MatrixScale {
  readonly domain: readonly [number, number];
  readonly largestDrop: number;
}

const percent = fixed(1);

/** From how many datasets on cells are small and carry no second line. */
const denseFrom = 15;

/** A name that may break after its separators and before its numbers. */
const breakable = (name: string): string =>
  name
    .split(/(?<=[_\-/.])|(?<=\p{L})(?=\d)/u)
    .map(escapeHtml)
    .join("<wbr>");

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

const cell = (s: Summary, scale: MatrixScale, i: number, j: number): string => {
  const value = s.matrix[i][j];
  if (value === null) return `<td class="hole" title="not measured">\u00b7</td>`;
  const delta = change(s, i, j);
  const against = i <= j ? "zero-shot" : "right after learning it";
  const told = delta === null ? "" : `, ${signed(delta)} points against ${against}`;
  const title = escapeHtml(`${s.datasets[j]} after task ${i + 1} (${s.datasets[i]}): ${percent(value)} %${told}`);
  const note = s.datasets.length < denseFrom && delta !== null ? `<small>${signed(delta)}</small>` : "";
  const share = i !== j && delta !== null && delta < 0 ? (-delta / scale.largestDrop) * 100 : 0;
  // A bar of less than a pixel or two would be a speck.
  const bar = share >= 3 ? `<u style="width:${share.toFixed(0)}%"></u>` : "";
  return `<td class="v${level(scale.domain)(value)}${i === j ? " diag" : ""}" title="${title}">${percent(value)}${note}${bar}</td>`;
};

const mean = (xs: readonly (number | null)[]): number | null => {
  const present = xs.filter((x) => x !== null);
  return present.length < xs.length || present.length === 0 ? null : present.reduce((a, b) => a + b, 0) / present.length;
};

const footer = (s: Summary): string =>
  (["transfer", "average", "last", "forgetting"] as const)
    .map((name) => {
      const cells = s.datasets.map((_, j) => `<td>${percent(s.perDataset[name][j] ?? null)}</td>`).join("");
      const title = `${name[0].toUpperCase()}${name.slice(1)}`;
      return `<tr><th scope="row">${title}</th>${cells}<td class="mean">${percent(s.metrics[name].mean)}</td></tr>`;
    })
    .join("\n");

/** The rows that are shown: of a model that trains nothing only the zero-shot row, of joint training only the last. */
const shows = (s: Summary, i: number): boolean => s.trainableParameters > 0 && s.matrix[i].some((x) => x !== null);

/** The heat map of one summary: the zero-shot row on top, a row after each task, and the metrics of each dataset below. */
export const matrixTable = (s: Summary, scale: MatrixScale): string => {
  const heads = s.datasets.map((name) => `<th scope="col" title="${escapeHtml(name)}">${breakable(name)}</th>`).join("");
  const zero = s.zeroShot
    .map((x, j) =>
      x === null
        ? `<td class="hole">\u00b7</td>`
        : `<td class="v${level(scale.domain)(x)}" title="${escapeHtml(s.datasets[j])} zero-shot: ${percent(x)} %">${percent(x)}</td>`,
    )
    .join("");
  const rows = s.matrix
    .map((row, i) =>
      shows(s, i)
        ? `<tr><th scope="row" title="${escapeHtml(s.datasets[i])}">${i + 1}\u2002${escapeHtml(s.datasets[i])}</th>` +
          `${row.map((_, j) => cell(s, scale, i, j)).join("")}<td class="mean">${percent(mean(row))}</td></tr>`
        : "",
    )
    .join("\n");
  return `<div class="scroll" tabindex="0" role="region" aria-label="Accuracy matrix of ${escapeHtml(s.label)}">
<table class="heat matrix${s.datasets.length >= denseFrom ? " dense" : ""}" style="--n:${s.datasets.length + 1}">
<thead><tr><th scope="col">after task</th>${heads}<th scope="col">mean</th></tr></thead>
<tbody><tr class="zero"><th scope="row">zero-shot</th>${zero}<td class="mean">${percent(mean(s.zeroShot))}</td></tr>
${rows}</tbody>
<tfoot>${footer(s)}</tfoot>
</table></div>`;
};

/** A colour ramp with its two ends named. */
export const rampKey = (low: string, high: string): string => {
  const steps = Array.from({ length: levels }, (_, i) => `<i class="v${i}"></i>`).join("");
  return `<span>${low}<span class="ramp" aria-hidden="true">${steps}</span>${high}</span>`;
};

/** The key of a matrix: colours and, where a stream was learned, the diagonal, the second line and the bar. */
export const matrixKey = (s: Summary, scale: MatrixScale): string => `<div class="key">
${rampKey(`${fixed(0)(scale.domain[0])}\u2009%`, `${fixed(0)(scale.domain[1])}\u2009%`)}
${s.trainableParameters > 0 ? learnedKey(s, scale) : ""}
</div>`;

const learnedKey = (s: Summary, scale: MatrixScale): string => `<span><i class="box" aria-hidden="true"></i>right after learning it</span>
${s.datasets.length < denseFrom ? "<span>second line: points against zero-shot up to the diagonal, against the diagonal below it</span>" : ""}
${scale.largestDrop > 0 ? `<span><i class="bar" aria-hidden="true"></i>points lost, full width ${percent(scale.largestDrop)}</span>` : ""}`;
