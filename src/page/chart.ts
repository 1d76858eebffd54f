/** A small line chart as inline SVG, and the key that several of them share. */
import { escapeHtml } from "../report/format.ts";
import { lines } from "./palette.ts";

/** The pixels of a chart, and what lies around its plot. */
export const size = { width: 270, height: 150, left: 30, right: 8, top: 8, bottom: 20 };

/** The pixels that the horizontal and the vertical axis of a plot run through. */
export const span = {
  x: [size.left, size.width - size.right],
  y: [size.height - size.bottom, size.top],
} as const;

/** How a method is drawn, everywhere on a page: a class that sets its colour, dashes, and whether its points are marked. */
export interface Look {
  readonly className: string;
  readonly dash: string;
  readonly dots: boolean;
}

const dashes = ["", "6 4", "2 4"];

/** The look of a model that never trains: the ground that methods are compared with. */
export const groundLook: Look = { className: "base", dash: "1 4", dots: false };

/** The look of what else methods are compared with. */
export const referenceLook: Look = { className: "base", dash: "", dots: true };

/** The look of the method at a position among those that are compared. */
export const methodLook = (index: number): Look => ({
  className: `m${index % lines.light.length}`,
  dash: dashes[Math.floor(index / lines.light.length) % dashes.length],
  dots: true,
});

/** A point of a line in pixels, and what is said of it. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly title?: string;
  /** The lower and the upper edge of the band around it, where its spread is known. */
  readonly band?: readonly [number, number];
}

/** A line of a chart; a missing point breaks it. */
export interface Line {
  readonly look: Look;
  readonly points: readonly (Point | null)[];
}

/** A chart: what stands above it, what a screen reader is told, its axes and its lines. */
export interface Chart {
  readonly title: string;
  readonly note: string;
  readonly label: string;
  readonly axes: string;
  readonly lines: readonly Line[];
}

const at = (x: number): string => x.toFixed(1);

/** A horizontal line of the grid with its text on the left. */
export const rule = (y: number, text: string): string =>
  `<line class="grid" x1="${span.x[0]}" x2="${span.x[1]}" y1="${at(y)}" y2="${at(y)}"/>` +
  `<text x="${size.left - 5}" y="${at(y + 3.5)}" text-anchor="end">${text}</text>`;

/** From values to pixels, with round values on the way: a scale of d3, whose types are not for those who use Cambium. */
export interface Scale {
  (value: number): number;
  readonly ticks: (count: number) => readonly number[];
}

/** The grid of a vertical scale. */
export const grid = (y: Scale): string =>
  y
    .ticks(4)
    .map((v) => rule(y(v), String(v)))
    .join("");

/** A text below the plot. */
export const below = (x: number, text: string, anchor: "start" | "middle" | "end" = "middle"): string =>
  `<text x="${at(x)}" y="${size.height - 5}" text-anchor="${anchor}">${text}</text>`;

/** A dotted line from the top to the bottom. */
export const upright = (x: number): string => `<line class="own" x1="${at(x)}" x2="${at(x)}" y1="${span.y[1]}" y2="${span.y[0]}"/>`;

/** The runs of points without a gap. */
const unbroken = (points: readonly (Point | null)[]): readonly (readonly Point[])[] =>
  points.reduce<readonly (readonly Point[])[]>((runs, p) => (p === null ? [...runs, []] : [...runs.slice(0, -1), [...(runs.at(-1) ?? []), p]]), [[]]);

/** The band of one run of points: along the upper edge, and back along the lower one. */
const bandOf = (run: readonly Point[]): string => {
  const edges = run.flatMap(({ x, band }) => (band === undefined ? [] : [{ x, low: band[0], high: band[1] }]));
  if (edges.length < 2) return "";
  const there = edges.map(({ x, high }) => `${at(x)} ${at(high)}`);
  const back = edges.toReversed().map(({ x, low }) => `${at(x)} ${at(low)}`);
  return `<path class="band" d="M${[...there, ...back].join("L")}Z"/>`;
};

const dashed = (dash: string): string => (dash === "" ? "" : ` stroke-dasharray="${dash}"`);

const drawLine = ({ look, points }: Line): string => {
  const runs = unbroken(points);
  const path = runs.flatMap((run) => (run.length === 0 ? [] : [`M${run.map(({ x, y }) => `${at(x)} ${at(y)}`).join("L")}`])).join("");
  const dots = (look.dots ? points : []).map((p) =>
    p?.title === undefined ? "" : `<circle class="dot" cx="${at(p.x)}" cy="${at(p.y)}" r="2.6"><title>${escapeHtml(p.title)}</title></circle>`,
  );
  return `<g class="${look.className}">${runs.map(bandOf).join("")}<path class="line" d="${path}"${dashed(look.dash)}/>${dots.join("")}</g>`;
};

/** A chart as a figure. */
export const drawChart = ({ title, note, label, axes, lines }: Chart): string => `<figure><h4>${escapeHtml(title)} <span>${escapeHtml(note)}</span></h4>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(label)}">
${axes}
${lines.map(drawLine).join("\n")}
</svg></figure>`;

/** Charts side by side, narrower where there are many. */
export const panels = (charts: readonly Chart[]): string =>
  `<div class="panels" style="--panel:${charts.length > 6 ? 240 : 300}px">${charts.map(drawChart).join("\n")}</div>`;

/** A piece of a method's line, as it stands beside its name. */
export const sample = ({ className, dash, dots }: Look): string => {
  const line = `<path class="line" d="M1 6H35"${dashed(dash)}/>`;
  return `<svg viewBox="0 0 36 12" aria-hidden="true" class="sample ${className}">${line}${dots ? `<circle class="dot" cx="18" cy="6" r="2.6"/>` : ""}</svg>`;
};

/** Which line is whose. */
export const lineKey = (entries: readonly { readonly name: string; readonly look: Look }[]): string =>
  `<div class="key">${entries.map(({ name, look }) => `<span>${sample(look)}${escapeHtml(name)}</span>`).join("\n")}</div>`;
