/** The scale of a stream: a scan of lessons, one row of the accuracy matrix after each. */
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { classNamesOf, isAnswerStream, type Stream, type Task } from "../data/task.ts";
import type { Learner } from "../model/learner.ts";
import { reported, type Evaluated, type Lesson, type MaybeMerged, type Report, type Scored } from "../training/lesson.ts";
import { bytesKept } from "../model/memory.ts";
import { examplesKept } from "../training/kept.ts";
import type { Runtime } from "../training/runtime.ts";
import { named, taskStage, type TaskStage } from "./stage.ts";

/** What flows at the scale of a stream: a learner, what it is to learn in which order, and what it is scored on. */
export interface Course {
  readonly learner: Learner;
  readonly stream: Stream;
  /** The tasks of the lessons; usually those of the stream. */
  readonly curriculum: readonly Task[];
  /** The position of the first lesson: those before it are behind the learner. */
  readonly from: number;
  /** Whether one lesson holds the tasks of the whole stream. */
  readonly pooled: boolean;
  /** Of the lessons from there on. */
  readonly reports: readonly Report[];
}

/** A method of continual learning: an arrow from a course to the course after all its lessons. `N` names the outputs that it needs of the architecture. */
export interface Method<N extends string = any> extends TaskStage<Course, Course, N> {
  /** Its name as people write it, where that is not `name`. */
  readonly title?: string;
  /** The method for tasks that are answered in words, where that is another, or why there is none. */
  readonly answering?: E.Either<Failure, Method<N>>;
}

/** A method as it is for a stream. Fails where it does not learn such tasks. */
export const methodFor = <N extends string>(method: Method<N>, stream: Stream): E.Either<Failure, Method<N>> =>
  (isAnswerStream(stream) ? method.answering : undefined) ?? E.right(method);

/** A method that is another for tasks that are answered in words, or that does not learn them. */
export const byKind = <N extends string>(method: Method<N>, answering: Method<N>["answering"]): Method<N> => {
  if (answering === undefined) return method;
  return {
    ...method,
    answering,
    run: (start) =>
      pipe(
        RTE.fromEither(isAnswerStream(start.stream) ? answering : E.right(method)),
        RTE.chain((chosen) => chosen.run(start)),
      ),
  };
};

/**
 * A course at its beginning; or at the task at position `from`, for a learner that has learned those before it, such as one that `readLearner` read. It ends
 * with the same bits as a course that was never stopped.
 */
export const course = (learner: Learner, stream: Stream, { from = 0 }: { readonly from?: number } = {}): Course => ({
  learner,
  stream,
  curriculum: stream.tasks,
  from,
  pooled: false,
  reports: [],
});

/** Lifts a lesson to a stream: the learner that leaves one lesson enters the next, and has seen its classes. */
export const scan = <N extends string = never>(lesson: TaskStage<Lesson, MaybeMerged & Evaluated, N>): TaskStage<Course, Course, N> =>
  named<"task", Course, Course, N>("scan", undefined, {
    ...lesson,
    run:
      (start: Course): RTE.ReaderTaskEither<Runtime, Failure, Course> =>
      (runtime) =>
      async () => {
        let now = start;
        let scored: Scored | undefined;
        const { stream, pooled } = start;
        for (const [position, task] of [...start.curriculum.entries()].slice(start.from)) {
          const learned = pooled ? stream.tasks.length : position + 1;
          runtime.emit({ type: "task", task: task.name, position, learned });
          const after = await lesson.run({ learner: now.learner, task, position, stream, learned, scored })(runtime)();
          if (E.isLeft(after)) return after;
          const { row, also, probes, answers, scores, chance, replies, trained, mergeError, update } = after.right;
          const learner = { ...after.right.learner, seen: [...now.learner.seen, ...classNamesOf(task)] };
          scored = after.right.scored;
          const inWords = scores === undefined ? {} : { scores, chance, replies };
          const examples = examplesKept(learner);
          const kept = { bytesKept: bytesKept(learner), ...(examples === 0 ? {} : { examplesKept: examples }) };
          const report = { task: task.name, row, also, probes, answers, ...inWords, trained, mergeError, ...kept };
          now = { ...now, learner, reports: reported(now.reports, report, start.from) };
          runtime.emit({ type: "lesson", position, report, learner });
          const written = (await runtime.keep?.lesson(learner, report, update)()) ?? E.right(undefined);
          if (E.isLeft(written)) return written;
        }
        return E.right(now);
      },
  });

/**
 * A method that learns every task of a stream by the same lesson.
 *
 * ```ts
 * const untrained = method("untrained", {}, stage.evaluate());
 * assert.deepEqual(stage.manifest(untrained), {
 *   name: "untrained", options: {}, parts: [{ name: "scan", options: undefined, parts: [{ name: "evaluate", options: {} }] }],
 * });
 * ```
 */
export const method = <N extends string = never>(name: string, options: unknown, lesson: TaskStage<Lesson, MaybeMerged & Evaluated, N>): Method<N> =>
  named(name, options, scan(lesson));

/** Replaces the curriculum by nothing. */
export const skip: TaskStage<Course, Course> = taskStage("skip", undefined, (c) => RTE.of({ ...c, curriculum: [] }));
