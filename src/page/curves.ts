/** How the accuracy of each dataset moves while the stream goes on: a panel a dataset, a line a method. */
import { scaleLinear, type ScaleLinear } from "d3-scale";
import { fixed } from "../report/format.ts";
import type { RunResult } from "../report/result.ts";
import { probeNames, spread, type Summary } from "../report/summary.ts";
import { below, grid, lineKey, panels, span, upright, type Chart, type Look, type Point } from "./chart.ts";
import type { Entry } from "./entries.ts";
import { niceDomain } from "./palette.ts";

/** What a panel follows over time: a dataset by its position, or a probe by its name. */
type Followed = { readonly dataset: number } | { readonly probe: string };

/** Accuracies (percent) over time: before the stream, then after each task. */
const curve = ({ zeroShot, matrix, probes }: Pick<RunResult, "zeroShot" | "matrix" | "probes">, followed: Followed): readonly (number | null)[] => {
  if ("dataset" in followed) return [zeroShot[followed.dataset] ?? null, ...matrix.map((row) => row[followed.dataset] ?? null)];
  const probe = probes.find(({ name }) => name === followed.probe);
  return probe === undefined ? [] : [probe.zeroShot, ...probe.after];
};

/** A mean over seeds, its standard deviation, and the band of one deviation to either side; of one seed there is none. */
export interface Mean {
  readonly mean: number;
  readonly std: number | null;
  readonly band: readonly number[];
}

const meansOf = (s: Summary, followed: Followed): readonly (Mean | null)[] => {
  const seeds = s.runs.map((run) => curve(run, followed));
  return curve(s, followed).map((mean, i) => {
    if (mean === null) return null;
    const { std } = spread(seeds.map((values) => values[i] ?? null));
    return { mean, std, band: std === null ? [] : [Math.max(0, mean - std), Math.min(100, mean + std)] };
  });
};

/** From tasks learned and percent to pixels of a panel. */
interface Scales {
  readonly x: ScaleLinear<number, number>;
  readonly y: ScaleLinear<number, number>;
}

/** How an accuracy moves over a stream of so many tasks; a method that has not come to the end of it has fewer values. */
export interface Course {
  readonly title: string;
  readonly note: string;
  readonly tasks: number;
  /** The position of the task that learns it; undefined where none does. */
  readonly own: number | undefined;
  /** A method each: its accuracies before the stream and after each task. */
  readonly lines: readonly { readonly name: string; readonly look: Look; readonly means: readonly (Mean | null)[] }[];
  /** The percentages at the bottom and at the top. Default: those that show all values. */
  readonly domain?: readonly [number, number];
}

/** A domain that shows all values. */
const domainOf = ({ lines }: Course): readonly [number, number] => {
  const values = lines.flatMap(({ means }) => means.flatMap((p) => (p === null ? [] : [p.mean, ...p.band])));
  const middle = (Math.min(...values) + Math.max(...values)) / 2;
  // At least ten points high, so that noise of one image in a hundred does not look like a collapse.
  return values.length === 0 ? [0, 100] : niceDomain([...values, Math.max(0, middle - 5), Math.min(100, middle + 5)], 4);
};

/** Grid lines with percentages, the numbers of tasks, and a line where the dataset itself was learned. */
const axes = ({ x, y }: Scales, { tasks, own }: Course): string => {
  const steps = x.ticks(Math.min(tasks, 6)).filter(Number.isInteger);
  return `${grid(y)}${steps.map((v) => below(x(v), String(v))).join("")}${own === undefined ? "" : upright(x(own + 1))}`;
};

/** A point for every task, with its band where there is one. */
const pointsOf = (name: string, means: readonly (Mean | null)[], { x, y }: Scales): readonly (Point | null)[] =>
  means.map((p, i) => {
    if (p === null) return null;
    const deviation = p.std === null ? "" : ` \u00b1 ${fixed(1)(p.std)}`;
    const title = `${name}: ${fixed(1)(p.mean)}${deviation} % ${i === 0 ? "zero-shot" : `after task ${i}`}`;
    return { x: x(i), y: y(p.mean), title, ...(p.band.length === 0 ? {} : { band: [y(p.band[0]), y(p.band[1])] as const }) };
  });

/** The panel of a dataset or a probe. */
export const coursePanel = (course: Course): Chart => {
  const { title, note, tasks, lines, domain = domainOf(course) } = course;
  const scales = {
    x: scaleLinear()
      .domain([0, Math.max(1, tasks)])
      .range(span.x),
    y: scaleLinear().domain(domain).range(span.y),
  };
  return {
    ...{ title, note },
    label: `Accuracy on ${title} after each task, in percent`,
    axes: axes(scales, course),
    lines: lines.map(({ name, look, means }) => ({ look, points: pointsOf(name, means, scales) })),
  };
};

/** The course of a dataset or a probe in some entries. */
const courseOf = (entries: readonly Entry[], followed: Followed): Course => {
  const { datasets } = entries[0].summary;
  const [title, note] = "dataset" in followed ? [datasets[followed.dataset], `task ${followed.dataset + 1}`] : [followed.probe, "never learned"];
  return {
    ...{ title, note, tasks: datasets.length },
    own: "dataset" in followed ? followed.dataset : undefined,
    lines: entries.map(({ summary, look }) => ({ name: summary.label, look, means: meansOf(summary, followed) })),
  };
};

const probesOf = (entries: readonly Entry[]): readonly Followed[] => probeNames(entries.map(({ summary }) => summary)).map((probe) => ({ probe }));

/** The panels of methods that ran on the same datasets, and of their probes, with their key. */
export const curves = (entries: readonly Entry[]): string => {
  const all: readonly Followed[] = [...entries[0].summary.datasets.map((_, dataset) => ({ dataset })), ...probesOf(entries)];
  return `${lineKey(entries.map(({ summary, look }) => ({ name: summary.label, look })))}
${panels(all.map((followed) => coursePanel(courseOf(entries, followed))))}`;
};
