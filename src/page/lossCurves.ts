/** How the loss falls while each task is learned: a panel a task, a line a method. */
import { scaleLinear } from "d3-scale";
import { meanOf } from "../report/metrics.ts";
import { below, grid, lineKey, panels, span, type Chart, type Look, type Point } from "./chart.ts";
import { isJoint, type Entry } from "./entries.ts";

/** Points of a line: enough for its course, too few for the noise of single batches. */
const mostPoints = 40;

/** A panel is at least so high: below it losses are 0 for all that can be seen. */
const leastSpan = 0.01;

/** Values as so many means at most, of values beside one another; of a lesson that is to have `steps` as many as there is something of. */
const smooth = (values: readonly number[], steps = values.length): readonly number[] => {
  const n = Math.min(mostPoints, steps);
  const from = (i: number): number => Math.floor((i * steps) / n);
  return Array.from({ length: n }, (_, i) => values.slice(from(i), from(i + 1))).flatMap((some) => meanOf(some) ?? []);
};

/** The losses of lesson `i`: of several seeds their means, as far as all of them go. */
export const lossesOfLesson = ({ reports }: Entry, i: number): readonly number[] => {
  const seeds = reports.map(({ losses }) => smooth((losses?.[i] ?? []).filter(Number.isFinite))).filter((losses) => losses.length > 0);
  const length = Math.min(...seeds.map((losses) => losses.length));
  return seeds.length === 0 ? [] : Array.from({ length }, (_, k) => meanOf(seeds.map((losses) => losses[k])) ?? 0);
};

/** How far a method has come in a lesson: the loss of each step that it took, and how many steps there are in all. */
export interface LossLine {
  readonly look: Look;
  readonly losses: readonly number[];
  readonly steps: number;
}

/** The panel of a lesson, from its first step to its last; a line of a lesson that still goes on ends where it is. */
export const lossPanel = (title: string, note: string, lines: readonly LossLine[]): Chart => {
  const x = scaleLinear().domain([0, 1]).range(span.x);
  const all = lines.flatMap(({ losses }) => losses);
  const lowest = Math.min(0, ...all);
  const y = scaleLinear()
    .domain([lowest, Math.max(lowest + leastSpan, ...all)])
    .nice(4)
    .range(span.y);
  const points = (losses: readonly number[], steps: number): readonly Point[] => {
    const n = Math.min(mostPoints, steps);
    return smooth(losses, steps).map((loss, k) => ({ x: x((k + 0.5) / n), y: y(loss) }));
  };
  return {
    title,
    note,
    label: `Loss of ${title}`,
    axes: `${grid(y)}${below(x(0), "first step", "start")}${below(x(1), "last step", "end")}`,
    lines: lines.map(({ look, losses, steps }) => ({ look: { ...look, dots: false }, points: points(losses, steps) })),
  };
};

/** The panel of lesson `i`; undefined where no method has losses of it. */
const chart = (entries: readonly Entry[], i: number, title: string, note: string): Chart | undefined => {
  const lines = entries
    .map((entry) => ({ look: entry.look, losses: lossesOfLesson(entry, i) }))
    .filter(({ losses }) => losses.length > 0)
    .map((line) => ({ ...line, steps: line.losses.length }));
  return lines.length === 0 ? undefined : lossPanel(title, note, lines);
};

/** The panels of methods that ran on the same datasets, with their key; an empty string where nothing is known of their losses. */
export const lossCurves = (entries: readonly Entry[]): string => {
  const { datasets } = entries[0].summary;
  const [joint, byTask] = [entries.filter(({ summary }) => isJoint(summary)), entries.filter(({ summary }) => !isJoint(summary))];
  const charts = [...datasets.map((name, i) => chart(byTask, i, name, `task ${i + 1}`)), chart(joint, datasets.length - 1, "all tasks at once", "")].filter(
    (panel) => panel !== undefined,
  );
  if (charts.length === 0) return "";
  const trained = entries.filter((entry) => datasets.some((_, i) => lossesOfLesson(entry, i).length > 0));
  return `${lineKey(trained.map(({ summary, look }) => ({ name: summary.label, look: { ...look, dots: false } })))}
${panels(charts)}`;
};
