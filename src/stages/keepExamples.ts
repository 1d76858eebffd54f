/** Keeping examples of a task, from which the batches of later tasks may draw. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Example } from "../data/example.ts";
import type { Question } from "../data/question.ts";
import { chosen } from "../data/sampling.ts";
import type { Split } from "../data/task.ts";
import { keptExamples } from "../training/kept.ts";
import type { Lesson } from "../training/lesson.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/**
 * Keeps `count` training examples of the task, drawn by the run's seed, or all where it has fewer (experience replay, arXiv 1902.10486). They are references:
 * no pixels are copied, and a checkpoint holds them. `encode` draws from them where it is given `replay`.
 *
 * ```ts
 * assert.deepEqual(stage.manifest(stage.keepExamples(20)), { name: "keepExamples", options: { count: 20 } });
 * ```
 */
export const keepExamples = <L extends Lesson>(count: number): TaskStage<L, L> =>
  taskStage("keepExamples", { count }, (lesson) => ({ seed }) => {
    const { learner, task } = lesson;
    const train: Split<Example | Question> = task.train;
    return pipe(
      train,
      TE.map((all) => {
        const kept = [...keptExamples.of(learner), { task: task.name, examples: chosen(all, count, seed, `keep ${task.name}`) }];
        return { ...lesson, learner: keptExamples.keep(learner, kept) };
      }),
    );
  });
