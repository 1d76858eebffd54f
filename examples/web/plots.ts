/** The plots of the page, drawn by the code that draws the report. */
import { lineKey, methodLook, panels, type Chart, type Look } from "../../src/page/chart.ts";
import { coursePanel } from "../../src/page/curves.ts";
import { lossPanel } from "../../src/page/lossCurves.ts";
import { fixed } from "../../src/report/format.ts";
import { titles, type MethodName } from "./protocol.ts";
import { compared, learnedTasks, type State } from "./state.ts";

/** How a method is drawn everywhere on the page. */
export const looks: Readonly<Record<MethodName, Look>> = { "sequential-lora": methodLook(1), codyra: methodLook(0), "keeplora++": methodLook(3) };

/** What people call a task. */
export const nameOf = ({ tasks }: Pick<State, "tasks">, id: string): string => tasks.find((task) => task.id === id)?.name ?? id;

/** The tasks that have a curve or a lesson, in the order in which they began. */
export const begunTasks = (state: State): readonly string[] => [
  ...new Set([...learnedTasks(state), ...compared(state).flatMap((name) => state.methods[name].curves.map(({ task }) => task))]),
];

/** How the loss of a lesson falls, as far as it has gone; undefined before its first step. */
export const lossChart = (state: State, task: string): Chart | undefined => {
  const lines = compared(state).flatMap((name) => {
    const curve = state.methods[name].curves.find((one) => one.task === task);
    return curve === undefined ? [] : [{ name, look: looks[name], losses: curve.losses, steps: curve.steps }];
  });
  if (lines.every(({ losses }) => losses.length === 0)) return undefined;
  const course = lines.map(({ name, losses, steps }) => {
    const now = losses.at(-1);
    return `${titles[name]} ${now === undefined ? "has not begun" : `from ${fixed(2)(losses[0])} to ${fixed(2)(now)} at step ${losses.length} of ${steps}`}`;
  });
  return { ...lossPanel(`Loss on ${nameOf(state, task)}`, "while it learns", lines), label: `Loss on ${nameOf(state, task)}: ${course.join("; ")}.` };
};

/** The accuracies of a method on a task: before any lesson, then after each. */
const accuracies = ({ previews, methods }: State, name: MethodName, task: string): readonly (number | null)[] => [
  previews[task]?.accuracy ?? null,
  ...methods[name].lessons.map(({ row }) => row[task] ?? null),
];

/** How the accuracy on a task moves from lesson to lesson. All charts go from 0 to 100, so that what falls is seen to fall. */
export const accuracyChart = (state: State, task: string): Chart => {
  const order = begunTasks(state);
  const title = nameOf(state, task);
  const lines = compared(state).map((name) => ({ name: titles[name], look: looks[name], values: accuracies(state, name, task) }));
  const told = lines.map(({ name, values }) => {
    const points = values.flatMap((x, i) => (x === null ? [] : [`${fixed(0)(x)} ${i === 0 ? "before" : `after lesson ${i}`}`]));
    return `${name} ${points.join(", ")}`;
  });
  const course = coursePanel({
    ...{ title, note: `lesson ${order.indexOf(task) + 1}`, tasks: order.length, own: order.indexOf(task), domain: [0, 100] as const },
    lines: lines.map(({ values, ...line }) => ({ ...line, means: values.map((mean) => (mean === null ? null : { mean, std: null, band: [] })) })),
  });
  // A task is not scored between its preview and its lesson; its line goes on all the same.
  const unbroken = course.lines.map(({ look, points }) => ({ look, points: points.filter((point) => point !== null) }));
  return { ...course, lines: unbroken, label: `Accuracy on ${title} in percent: ${told.join("; ")}.` };
};

/** The charts side by side. */
export const chartsHtml = (charts: readonly Chart[]): string => panels(charts);

/** Which line is whose. */
export const keyHtml = (state: State): string => lineKey(compared(state).map((name) => ({ name: titles[name], look: looks[name] })));
