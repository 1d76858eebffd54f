/** Examples of past tasks that a learner keeps for replay: references, as plain data. */
import type { Example } from "../data/example.ts";
import type { Question } from "../data/question.ts";
import { memory } from "../model/memory.ts";

/** Examples of one past task; the task of that name in a stream says how they are decoded. */
export interface Kept {
  readonly task: string;
  /** The names of its classes, which labels count; a task that is answered in words has none, and older checkpoints do not have them. */
  readonly classNames?: readonly string[];
  readonly examples: readonly (Example | Question)[];
}

/** What a learner keeps of past tasks, in their order; nothing before the first. */
export const keptExamples = memory<readonly Kept[]>("examples", []);

/** How many examples a learner keeps: references to its data, which weigh no bytes of their own. */
export const examplesKept = (learner: Parameters<typeof keptExamples.of>[0]): number =>
  keptExamples.of(learner).reduce((n, { examples }) => n + examples.length, 0);

/** How many of the examples of a batch come from past tasks, where some are kept: a share of them, at least one, and never all. */
export const replayedIn = (batch: number, share: number, kept: readonly Pick<Kept, "examples">[]): number =>
  kept.some(({ examples }) => examples.length > 0) && share > 0 ? Math.min(batch - 1, Math.max(1, Math.round(share * batch))) : 0;
