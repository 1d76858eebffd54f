/** Keeping examples of a task, from which the batches of later tasks may draw. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { noLabel } from "../data/example.ts";
import { chooseFewShot, chosen } from "../data/sampling.ts";
import { isAnswered, type Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { keptExamples, type Kept } from "../training/kept.ts";
import type { Lesson } from "../training/lesson.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Training examples of a task that are drawn: so many of every class, or so many questions. */
const drawn = (task: Task, count: number, seed: number): TE.TaskEither<Failure, Kept["examples"]> =>
  isAnswered(task)
    ? pipe(
        task.train,
        TE.map((questions) => chosen(questions, count, seed, `keep ${task.name}`)),
      )
    : pipe(
        task.train,
        TE.map((examples) =>
          chooseFewShot(
            examples.filter(({ label }) => label !== noLabel),
            count,
            seed,
            `keep ${task.name}`,
          ),
        ),
      );

/**
 * Keeps `count` training examples of every class of the task, or so many of its questions where it is answered in words, drawn by the run's seed; all where
 * there are fewer (experience replay, arXiv 1902.10486). They are references: no pixels are copied, and a checkpoint holds them. `encode` draws from them where
 * it is given `replay`.
 *
 * ```ts
 * assert.deepEqual(stage.manifest(stage.keepExamples(20)), { name: "keepExamples", options: { count: 20 } });
 * ```
 */
export const keepExamples = <L extends Lesson>(count: number): TaskStage<L, L> =>
  taskStage("keepExamples", { count }, (lesson) => ({ seed }) => {
    const { learner, task } = lesson;
    return pipe(
      drawn(task, count, seed),
      TE.map((examples) => {
        const own: Kept = { task: task.name, ...(isAnswered(task) ? {} : { classNames: task.classNames }), examples };
        return { ...lesson, learner: keptExamples.keep(learner, [...keptExamples.of(learner), own]) };
      }),
    );
  });
