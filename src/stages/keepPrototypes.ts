/** Keeping prototypes of a task's images: what tells later which task an image is like. */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { isAnswered } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import { kMeans } from "../linalg/kMeans.ts";
import { memory } from "../model/memory.ts";
import { networkOf } from "../model/model.ts";
import { random } from "../random.ts";
import type { Lesson } from "../training/lesson.ts";
import { withEncoder } from "./features.ts";
import { ensemble } from "./scores.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** What is like the images of the task at a position of the stream: [count, width]. */
export interface TaskPrototypes {
  readonly position: number;
  readonly centres: HostTensor;
}

/**
 * The prototypes of every task of which a learner has kept some, in the order in which it learned them.
 *
 * ```ts
 * const centres = { shape: [1, 2], data: Float32Array.of(0.6, 0.8) };
 * const kept = stage.prototypes.keep({ memory: {} } as cambium.Learner, [{ position: 0, centres }]);
 * assert.deepEqual(stage.prototypes.of(kept), [{ position: 0, centres }]);
 * ```
 */
export const prototypes = memory<readonly TaskPrototypes[]>("prototypes", []);

/**
 * Keeps the centres of `count` k-means clusters of the unit features that the task's training images have in the learner's model as it is, without any branch
 * (arXiv 2207.12819). The clusters are the best of ten starts, drawn by the run's seed. Fails as pictures do, and with `ShapeMismatch` where the task is
 * answered in words.
 *
 * ```ts
 * assert.deepEqual(stage.manifest(stage.keepPrototypes(5)), { name: "keepPrototypes", options: { count: 5 } });
 * ```
 */
export const keepPrototypes = <L extends Lesson>(count: number): TaskStage<L, L> =>
  taskStage("keepPrototypes", { count }, (lesson) => (runtime) => {
    const { learner, task, position } = lesson;
    if (isAnswered(task)) {
      return TE.left<Failure>({
        _tag: "ShapeMismatch",
        op: "keepPrototypes",
        detail: `${task.name} is answered in words; prototypes are those of classes' images`,
      });
    }
    const { width } = networkOf(learner.model);
    return pipe(
      task.train,
      TE.chain((examples) => withEncoder(learner, runtime, undefined)((encode) => encode.images(task, examples))),
      TE.chainEitherK((images): E.Either<Failure, L> => {
        const { data } = ensemble([images], width);
        const { centres } = kMeans({ shape: [images.count, width], data }, count, random(runtime.seed, "prototypes", position));
        const own: TaskPrototypes = { position, centres: { shape: [centres.length / width, width], data: Float32Array.from(centres) } };
        return E.right({ ...lesson, learner: prototypes.keep(learner, [...prototypes.of(learner), own]) });
      }),
    );
  });
