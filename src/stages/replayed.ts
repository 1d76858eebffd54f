/** Examples of past tasks in the batches of a later one: those that a learner has kept, under the classes that they have in its stream. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { isAnswered, type Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import { keptExamples, replayedIn, type Kept } from "../training/kept.ts";
import type { Lesson } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";

/** A past task as the stream has it, and what is kept of it. */
export interface Past extends Pick<Kept, "examples"> {
  readonly task: Task;
}

/** What may be replayed. */
export interface Replayed {
  readonly past: readonly Past[];
  /** How many examples of a batch. */
  readonly replayed: number;
}

/** What differs between the classes that a task had and those that it has; undefined where nothing does, and where the former are not known. */
const difference = (before: readonly string[] | undefined, now: readonly string[]): string | undefined => {
  if (before === undefined) return undefined;
  if (before.length !== now.length) return `it had ${before.length} classes and has ${now.length}`;
  const cls = now.findIndex((name, i) => name !== before[i]);
  return cls < 0 ? undefined : `class ${cls} was ${printed(before[cls])} and is ${printed(now[cls])}`;
};

/** The task of a stream of which examples are kept; undefined where it has none of that name and kind. Fails where it has one with other classes. */
const taskOf = ({ task: name, classNames, examples }: Kept, tasks: readonly Task[]): E.Either<Failure, Task | undefined> => {
  const asks = examples.some((example) => "prompt" in example);
  const task = tasks.find((one) => one.name === name && isAnswered(one) === asks);
  if (task === undefined || isAnswered(task)) return E.right(task);
  const differs = difference(classNames, task.classNames);
  if (differs === undefined) return E.right(task);
  const advice = "give its classes the names that they had, or the dataset another";
  return E.left({
    _tag: "BadOption",
    option: "replay",
    detail: `examples of ${name} are kept, and ${name} of this stream has other classes: ${differs}; ${advice}`,
  });
};

/**
 * What is kept of past tasks and may stand in batches, and how much of a batch that is. Tasks that the stream lacks are told of: nothing says how their
 * examples are decoded. Fails with `BadOption` where the stream has a task of one name with other classes, under which what is kept would be learned wrongly.
 */
export const replayedOf = (
  { learner, stream }: Pick<Lesson, "learner" | "stream">,
  { batch, replay }: { readonly batch: number; readonly replay: number },
  { emit }: Pick<Runtime, "emit">,
): E.Either<Failure, Replayed> => {
  if (replay === 0) return E.right({ past: [], replayed: 0 });
  const kept = keptExamples.of(learner);
  return pipe(
    kept,
    E.traverseArray((one) => taskOf(one, stream.tasks)),
    E.map((tasks) => {
      const lacking = kept.filter((_, i) => tasks[i] === undefined).map(({ task }) => task);
      if (lacking.length > 0) emit({ type: "note", detail: `what is kept of ${lacking.join(", ")} is not replayed: the stream has no such task` });
      const past = kept.flatMap(({ examples }, i): readonly Past[] => {
        const task = tasks[i];
        return task === undefined ? [] : [{ task, examples }];
      });
      return { past, replayed: replayedIn(batch, replay, past) };
    }),
  );
};
