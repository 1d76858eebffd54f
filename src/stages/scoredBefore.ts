/** The row of a learner that a lesson has left as it was: that of the lesson before. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import { isAnswerStream, type LabelSpace } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Evaluated, Lesson, Scored } from "../training/lesson.ts";
import type { Event, Runtime } from "../training/runtime.ts";
import type { Told } from "../training/told.ts";
import type { Inference } from "./inference.ts";

/** How a row is measured, as far as that tells whether it stays the same. */
interface How extends Inference {
  readonly labelSpace?: LabelSpace;
  readonly also?: readonly LabelSpace[];
}

/** Whether rows grow with the tasks that are learned, whatever the learner is: among the classes seen so far there are more after each. */
const grows = ({ stream }: Lesson, { labelSpace, also = [] }: How): boolean =>
  !isAnswerStream(stream) && [labelSpace ?? stream.labelSpace, ...also].includes("seen");

/**
 * Whether what was scored last is what is to be scored now. A branch and a calibration are given the whole learner, with the classes that it has seen: through
 * these none is the same. All other scores follow from the model, the head and the memory.
 */
const isSame = ({ lesson: then, by }: Scored, now: Lesson, how: How): boolean =>
  by === how &&
  how.through === undefined &&
  how.calibration === undefined &&
  then.stream === now.stream &&
  (then.learned === now.learned || !grows(now, how)) &&
  then.learner.model === now.learner.model &&
  then.learner.head === now.learner.head &&
  then.learner.memory === now.learner.memory;

const isTold = (event: Event): event is Told => event.type === "evaluation" || event.type === "predictions" || event.type === "replies";

/** The row of a lesson: the one before, told again, where the learner is the one that was scored then; else what `measured` gives. */
export const scoredOnce =
  (lesson: Lesson, how: How, measured: (runtime: Runtime) => TE.TaskEither<Failure, Evaluated>) =>
  (runtime: Runtime): TE.TaskEither<Failure, Scored> => {
    const { learner, stream, learned, scored } = lesson;
    if (scored !== undefined && isSame(scored, lesson, how)) {
      return TE.fromIO(() => {
        scored.told.forEach(runtime.emit);
        return scored;
      });
    }
    const told: Told[] = [];
    const emit = (event: Event): void => {
      if (isTold(event)) told.push(event);
      runtime.emit(event);
    };
    return pipe(
      measured({ ...runtime, emit }),
      TE.map((evaluated): Scored => ({ lesson: { learner, stream, learned }, by: how, evaluated, told })),
    );
  };
