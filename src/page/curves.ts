/** How the accuracy of each dataset moves while the stream goes on: one small panel a dataset, one line a method, inline SVG. */
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { escapeHtml, fixed } from "../report/format.ts";
import { lines, niceDomain } from "./palette.ts";
import type { Summary } from "../report/summary.ts";

const size = { width: 270, height: 150, left: 30, right: 8, top: 8, bottom: 20 };
const dashes = ["", "6 4", "2 4"];

/** The accuracies (percent) of dataset `j` over time: before the stream, then after each task. */
export const curve = (s: Summary, j: number): readonly (number | null)[] => [s.zeroShot[j] ?? null, ...s.matrix.map((row) => row[j] ?? null)];

const style = (index: number, still: boolean): { readonly className: string; readonly dash: string } => ({
  className: still ? "base" : `m${index % lines.light.length}`,
  dash: still ? "1 4" : dashes[Math.floor(index / lines.light.length) % dashes.length],
});

/** Whether a method never trains: its line is the ground that others are compared with. */
const isStill = (s: Summary): boolean => s.trainableParameters === 0;

interface Point {
  readonly x: number;
  readonly y: number;
  readonly title: string;
}

/** A path through the points; a missing point breaks the line. */
const path = (points: readonly (Point | null)[]): string =>
  points.map((p, i) => (p === null ? "" : `${i === 0 || points[i - 1] === null ? "M" : "L"}${p.x.toFixed(1)} ${p.y.toFixed(1)}`)).join("");

/** From tasks learned and percent to pixels of a panel. */
interface Scales {
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
}

/** The scales of a panel that shows all values of dataset `j`. */
const scalesOf = (summaries: readonly Summary[], j: number): Scales => {
  const values = summaries.flatMap((s) => curve(s, j)).filter((value) => value !== null);
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  // At least ten points high, so that noise of one image in a hundred does not look like a collapse.
  const [low, high] = values.length === 0 ? [0, 100] : niceDomain([...values, Math.max(0, middle - 5), Math.min(100, middle + 5)], 4);
  return {
    x: scaleLinear()
      .domain([0, Math.max(1, summaries[0].datasets.length)])
      .range([size.left, size.width - size.right]),
    y: scaleLinear()
      .domain([low, high])
      .range([size.height - size.bottom, size.top]),
  };
};

/** Grid lines with percentages, the numbers of tasks, and a line where the dataset itself was learned. */
const axes = ({ x, y }: Scales, tasks: number, j: number): string => {
  const grid = y
    .ticks(4)
    .map(
      (v) =>
        `<line class="grid" x1="${size.left}" x2="${size.width - size.right}" y1="${y(v).toFixed(1)}" y2="${y(v).toFixed(1)}"/>` +
        `<text x="${size.left - 5}" y="${(y(v) + 3.5).toFixed(1)}" text-anchor="end">${v}</text>`,
    )
    .join("");
  const steps = x
    .ticks(Math.min(tasks, 6))
    .filter(Number.isInteger)
    .map((v) => `<text x="${x(v).toFixed(1)}" y="${size.height - 5}" text-anchor="middle">${v}</text>`)
    .join("");
  const learned = `<line class="own" x1="${x(j + 1).toFixed(1)}" x2="${x(j + 1).toFixed(1)}" y1="${size.top}" y2="${size.height - size.bottom}"/>`;
  return `${grid}${steps}${learned}`;
};

/** The line of one method with a dot at every task; a method that never trains has no dots. */
const drawCurve = (s: Summary, index: number, j: number, { x, y }: Scales): string => {
  const look = style(index, isStill(s));
  const points = curve(s, j).map((v, i): Point | null =>
    v === null ? null : { x: x(i), y: y(v), title: `${s.label}: ${fixed(1)(v)} % ${i === 0 ? "zero-shot" : `after task ${i}`}` },
  );
  const line = `<path class="line" d="${path(points)}"${look.dash === "" ? "" : ` stroke-dasharray="${look.dash}"`}/>`;
  const dots = (isStill(s) ? [] : points).map((p) =>
    p === null ? "" : `<circle class="dot" cx="${p.x.toFixed(1)}" cy="${p.y.toFixed(1)}" r="2.6"><title>${escapeHtml(p.title)}</title></circle>`,
  );
  return `<g class="${look.className}">${line}${dots.join("")}</g>`;
};

/** The panel of dataset `j`. */
const panel = (summaries: readonly Summary[], j: number): string => {
  const { datasets } = summaries[0];
  const scales = scalesOf(summaries, j);
  return `<figure><h4>${escapeHtml(datasets[j])} <span>task ${j + 1}</span></h4>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="Accuracy on ${escapeHtml(datasets[j])} after each task, in percent">
${axes(scales, datasets.length, j)}
${summaries.map((s, index) => drawCurve(s, index, j, scales)).join("\n")}
</svg></figure>`;
};

/** The panels of methods that ran on the same datasets, with their key. */
export const curves = (summaries: readonly Summary[]): string => {
  const key = summaries
    .map((s, m) => {
      const look = style(m, isStill(s));
      const dash = look.dash === "" ? "" : ` stroke-dasharray="${look.dash}"`;
      const dot = isStill(s) ? "" : `<circle class="dot" cx="18" cy="6" r="2.6"/>`;
      const sample = `<svg viewBox="0 0 36 12" aria-hidden="true" class="${look.className}"><path class="line" d="M1 6H35"${dash}/>${dot}</svg>`;
      return `<span>${sample}${escapeHtml(s.label)}</span>`;
    })
    .join("\n");
  const names = summaries[0].datasets;
  return `<div class="key">${key}</div>
<div class="panels" style="--panel:${names.length > 6 ? 240 : 300}px">${names.map((_, j) => panel(summaries, j)).join("\n")}</div>`;
};
