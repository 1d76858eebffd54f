/** Walks over images: batches of them in a drawn order, with what stands beside them. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { batches, type BatchOptions, type Batches } from "../data/batches.ts";
import { decoderOf } from "../data/decode.ts";
import type { ClassTask, Split } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { transformOf } from "../model/inputs.ts";
import { random } from "../random.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { Lesson } from "../training/lesson.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";
import type { TrainingBatches } from "../training/trainee.ts";
import type { Captions } from "./captions.ts";

/** A training split that is not empty. */
export const notEmpty = <Ex>(name: string, split: Split<Ex>): Split<Ex> =>
  pipe(
    split,
    TE.filterOrElse(
      (examples) => examples.length > 0,
      (): Failure => ({ _tag: "FileUnreadable", path: name, detail: "the training split is empty" }),
    ),
  );

/** How batches walk over images. */
export interface Walk extends Pick<BatchOptions, "examples" | "batch" | "augment"> {
  readonly task: ClassTask;
  readonly steps: number;
  /** Tells the order from those of other walks. */
  readonly purpose: string;
}

/** The batches of a walk over images, in an order that is drawn for the task. */
export const walked = ({ task, steps, purpose, ...rest }: Walk, { position, learner }: Lesson, runtime: Runtime): Batches =>
  batches({
    ...rest,
    decode: decoderOf(task),
    length: { steps },
    transform: transformOf(learner.model),
    seed: random(runtime.seed, purpose, position).integer(2 ** 31),
    cache: runtime.images,
    onCorrupt: runtime.onCorrupt,
  });

/** Batches of images with what stands beside them. */
export const encodedBy = (images: Batches, captions: Captions, runtime: Runtime): TrainingBatches["at"] => {
  const report = skippedReporter(runtime);
  return (step) =>
    pipe(
      images.at(step),
      TE.map(({ pixels, labels }): HostRecord => {
        report(images.skipped());
        return { pixels, ...captions.of(labels) };
      }),
    );
};
