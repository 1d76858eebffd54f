/** `encode`: turns a task into batches that a device can take. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { textBatch } from "../model/clip.ts";
import type { Clip } from "../model/folder.ts";
import { imageTransform } from "../model/preprocess.ts";
import { tokenise } from "../model/tokenizer.ts";
import type { Augment } from "../stream/augment.ts";
import { random } from "../random.ts";
import { batches } from "../stream/batches.ts";
import type { HostRecord } from "../tensor/executable.ts";
import type { Lesson, WithBatches } from "./learner.ts";
import { skippedReporter } from "./runtime.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/**
 * The prompts of classes under one template.
 *
 * ```ts
 * assert.deepEqual(prompts("a photo of a {c}.", ["cat", "dog"]), ["a photo of a cat.", "a photo of a dog."]);
 * ```
 */
export const prompts = (template: string, classNames: readonly string[]): readonly string[] => classNames.map((name) => template.replaceAll("{c}", name));

/** The text side of a batch: prompts as ids, trimmed to the longest. */
export const encodeTexts = ({ config, tokenizer }: Clip, texts: readonly string[]): ReturnType<typeof textBatch> =>
  textBatch(config.text, tokenise(tokenizer, texts, config.text.context).ids);

/**
 * Multi-hot targets [images, texts] and their transpose from labels: image i matches text `labels[i]`.
 *
 * ```ts
 * const labels = Uint32Array.of(1, 0, 1);
 * assert.deepEqual([...targets(labels, 2).targets], [0, 1, 1, 0, 0, 1]);
 * assert.deepEqual([...targets(labels, 2).transposedTargets], [0, 1, 0, 1, 0, 1]);
 * ```
 */
export const targets = (labels: Uint32Array, texts: number): { readonly targets: Float32Array; readonly transposedTargets: Float32Array } => {
  const images = labels.length;
  const [rows, columns] = [new Float32Array(images * texts), new Float32Array(images * texts)];
  labels.forEach((label, i) => {
    rows[i * texts + label] = 1;
    columns[label * images + i] = 1;
  });
  return { targets: rows, transposedTargets: columns };
};

/** A square image transform of a model, for the size that its configuration states. */
export const transformOf = ({ config, preprocess }: Clip): ReturnType<typeof imageTransform> =>
  imageTransform(preprocess, { height: config.vision.imageSize, width: config.vision.imageSize });

/** Options of {@link encode}. */
export interface EncodeOptions {
  /** Images in a batch. Default 64. */
  readonly batch?: number;
  /** The random transform of training images. Default: none, the evaluation transform. */
  readonly augment?: Augment;
  /** Steps that batches are made for. */
  readonly steps: number;
}

/**
 * Makes training batches of a task: images in a seeded order, augmented and normalised; the task's classes under its first template as texts;
 * multi-hot targets. Fails with the sample that cannot be decoded, unless the runtime skips those.
 */
export const encode = ({ batch = 64, augment, steps }: EncodeOptions): TaskStage<Lesson, Lesson & WithBatches> =>
  taskStage("encode", { batch, augment: augment === undefined ? "none" : "random", steps }, (lesson) => (runtime) =>
    pipe(
      lesson.task.train,
      TE.chainEitherK((samples): E.Either<Failure, Lesson & WithBatches> => {
        const { learner, task, position } = lesson;
        if (samples.length === 0) return E.left({ _tag: "FileUnreadable", path: task.name, detail: "the training split is empty" });
        const images = batches({
          samples, batch, augment, length: { steps }, transform: transformOf(learner.clip),
          seed: random(runtime.seed, "batches", position).integer(2 ** 31), cache: runtime.images, onCorrupt: runtime.onCorrupt,
        });
        const { ids, ends, count, length } = encodeTexts(learner.clip, prompts(task.templates[0], task.classNames));
        const report = skippedReporter(runtime.emit);
        return E.right({
          ...lesson,
          batches: {
            shape: { images: batch, texts: count, length, previous: learner.seen.length },
            at: (step) =>
              pipe(
                images.at(step),
                TE.map(({ pixels, labels }): HostRecord => {
                  report(images.skipped());
                  // The texts of a task are the same in every step: the device keeps them.
                  return { pixels, ...targets(labels, count), ...(step === 0 ? { ids, ends } : {}) };
                }),
              ),
          },
        });
      }),
    ),
  );
