/** What the page says in words about what is shown. */
import { counted, duration, fixed } from "../../src/report/format.ts";
import { titles, type Phase, type Shown } from "./protocol.ts";
import { compared, learnedTasks, type Learned, type State } from "./state.ts";
import { nameOf } from "./plots.ts";

/** A share from 0 to 1 as whole percent: `37 %`, and `< 1 %` for what is nearly nothing. */
export const percent = (share: number): string => (share > 0 && share < 0.01 ? "< 1\u202f%" : `${Math.round(100 * share)}\u202f%`);

/** An accuracy in percent: `37.5 %`; an en dash where it is not known. */
export const accuracyText = (accuracy: number | null | undefined): string =>
  accuracy === null || accuracy === undefined ? "\u2013" : `${fixed(Number.isInteger(accuracy) ? 0 : 1)(accuracy)}\u202f%`;

/** Whether a picture was taken for what it is. */
export const isRight = ({ label, guesses }: Shown): boolean => guesses[0]?.label === label;

/** How long something still takes, as people say it. */
export const timeLeft = (seconds: number): string =>
  seconds < 1.5 ? "a moment left" : seconds < 60 ? `about ${Math.round(seconds)} s left` : `about ${duration(Math.round(seconds / 5) * 5)} left`;

/** How far something has come: `step 12 of 24, about 8 s left`. */
export const progressText = ({ done, total, seconds }: Phase): string =>
  [...(done !== undefined && total !== undefined ? [`${done} of ${total}`] : []), ...(seconds === undefined ? [] : [timeLeft(seconds)])].join(" \u00b7 ");

/** What a task was right after its own lesson, and what it is now; in percent. */
export interface Held {
  readonly task: string;
  readonly once: number;
  readonly now: number;
}

/** What a method holds of the tasks that it has learned, in the order learned. */
export const heldBy = ({ lessons }: Learned): readonly Held[] => {
  const last = lessons.at(-1);
  return lessons.flatMap(({ task, row }) => {
    const [once, now] = [row[task] ?? null, last?.row[task] ?? null];
    return once === null || now === null ? [] : [{ task, once, now }];
  });
};

/** Points that a method has lost on the tasks before its last, in the mean; undefined before there are two lessons. */
export const lostBy = (learned: Learned): number | undefined => {
  const before = heldBy(learned).slice(0, -1);
  return before.length === 0 ? undefined : before.reduce((sum, { once, now }) => sum + once - now, 0) / before.length;
};

const lostText = (points: number): string =>
  points > 0.5
    ? `has lost ${counted(Math.round(points), "point")}`
    : points < -0.5
      ? `has gained ${counted(Math.round(-points), "point")}`
      : "has lost nothing";

/** What the lessons so far have shown, in a sentence. */
export const verdict = (state: State): string => {
  const learned = learnedTasks(state).map((id) => nameOf(state, id));
  const [lost, last] = [compared(state).map((name) => ({ name, points: lostBy(state.methods[name]) })), learned.at(-1)];
  if (last === undefined) return "";
  const known = lost.flatMap(({ name, points }) => (points === undefined ? [] : [`${titles[name]} ${lostText(points)}`]));
  if (known.length === 0) return `It has learned ${last}. Teach it a second thing, and see what is left of the first.`;
  const before = learned.slice(0, -1);
  const earlier = before.length === 1 ? before[0] : `${before.slice(0, -1).join(", ")} and ${before.at(-1)}`;
  return `Since it learned ${last}, of ${earlier}: ${known.join("; ")}.`;
};

/** What stands on a card about whether its task was learned. */
export const cardText = (state: State, id: string): string => {
  const lesson = learnedTasks(state).indexOf(id);
  if (lesson >= 0) return `lesson ${lesson + 1}`;
  const preview = state.previews[id];
  return preview === undefined ? "not seen yet" : `before any lesson ${accuracyText(preview.accuracy)}`;
};
