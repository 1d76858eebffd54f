/** Remembering examples of a task, from which the batches of later tasks may draw. */
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import { chosen } from "../data/sampling.ts";
import type { Example } from "../data/example.ts";
import type { Question } from "../data/question.ts";
import type { Split } from "../data/task.ts";
import { keptExamples } from "../training/kept.ts";
import type { Lesson } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/**
 * Keeps `count` training examples of the task, drawn by the run's seed, or all where it has fewer (experience replay, arXiv 1902.10486). They are references: no
 * pixels are copied, and a checkpoint holds them. `encode` draws from them where it is given `replay`.
 *
 * ```ts
 * assert.deepEqual(stage.manifest(stage.remember(20)), { name: "remember", options: { count: 20 } });
 * ```
 */
export const remember = <L extends Lesson>(count: number): TaskStage<L, L> =>
  taskStage("remember", { count }, (lesson: L) => {
    const { learner, task } = lesson;
    const train: Split<Example | Question> = task.train;
    return pipe(
      RTE.ask<Runtime>(),
      RTE.chainTaskEitherK(({ seed }) =>
        pipe(
          RTE.fromTaskEither(train),
          RTE.map((all) => chosen(all, count, seed, `remember ${task.name}`)),
        )({}),
      ),
      RTE.map((examples) => ({ ...lesson, learner: keptExamples.keep(learner, [...keptExamples.of(learner), { task: task.name, examples }]) })),
    );
  });
