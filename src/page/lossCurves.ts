/** How the loss falls while each task is learned: a panel a task, a line a method. */
import { scaleLinear } from "d3-scale";
import { meanOf } from "../report/metrics.ts";
import { below, grid, lineKey, panels, span, type Chart } from "./chart.ts";
import { isJoint, type Entry } from "./entries.ts";

/** Points of a line: enough for its course, too few for the noise of single batches. */
const mostPoints = 40;

/** A panel is at least so high: below it losses are 0 for all that can be seen. */
const leastSpan = 0.01;

/** Values as so many means at most, of values beside one another. */
const smooth = (values: readonly number[]): readonly number[] => {
  const n = Math.min(mostPoints, values.length);
  const from = (i: number): number => Math.floor((i * values.length) / n);
  return Array.from({ length: n }, (_, i) => meanOf(values.slice(from(i), from(i + 1))) ?? 0);
};

/** The losses of lesson `i`: of several seeds their means, as far as all of them go. */
export const lossesOfLesson = ({ reports }: Entry, i: number): readonly number[] => {
  const seeds = reports.map(({ losses }) => smooth((losses?.[i] ?? []).filter(Number.isFinite))).filter((losses) => losses.length > 0);
  const length = Math.min(...seeds.map((losses) => losses.length));
  return seeds.length === 0 ? [] : Array.from({ length }, (_, k) => meanOf(seeds.map((losses) => losses[k])) ?? 0);
};

/** The panel of lesson `i`, from its first step to its last; undefined where no method has losses of it. */
const chart = (entries: readonly Entry[], i: number, title: string, note: string): Chart | undefined => {
  const lines = entries.map((entry) => ({ look: { ...entry.look, dots: false }, losses: lossesOfLesson(entry, i) })).filter(({ losses }) => losses.length > 0);
  if (lines.length === 0) return undefined;
  const x = scaleLinear().domain([0, 1]).range(span.x);
  const highest = Math.max(...lines.flatMap(({ losses }) => losses));
  const lowest = Math.min(0, ...lines.flatMap(({ losses }) => losses));
  const y = scaleLinear()
    .domain([lowest, Math.max(highest, lowest + leastSpan)])
    .nice(4)
    .range(span.y);
  return {
    title,
    note,
    label: `Loss of ${title}`,
    axes: `${grid(y)}${below(x(0), "first step", "start")}${below(x(1), "last step", "end")}`,
    lines: lines.map(({ look, losses }) => ({ look, points: losses.map((loss, k) => ({ x: x((k + 0.5) / losses.length), y: y(loss) })) })),
  };
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
