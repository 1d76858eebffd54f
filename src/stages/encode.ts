/** `encode`: turns a task into batches that a device can take. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { textBatch, type TextBatch } from "../model/clip.ts";
import type { Clip } from "../model/folder.ts";
import { isClip, type Model } from "../model/model.ts";
import { imageTransform } from "../data/preprocess.ts";
import { tokenise } from "../model/tokenizer.ts";
import type { Augment } from "../data/augment.ts";
import { random } from "../random.ts";
import { batches } from "../data/batches.ts";
import { decoderOf } from "../data/decode.ts";
import type { HostRecord } from "../tensor/executable.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { skippedReporter } from "../training/runtime.ts";
import { perTask, type PerTask } from "../training/schedule.ts";
import { taskStage, type TaskStage } from "./stage.ts";
import type { Length } from "./steps.ts";

/**
 * The prompts of classes under one template.
 *
 * ```ts
 * assert.deepEqual(prompts("a photo of a {c}.", ["cat", "dog"]), ["a photo of a cat.", "a photo of a dog."]);
 * ```
 */
export const prompts = (template: string, classNames: readonly string[]): readonly string[] => classNames.map((name) => template.replaceAll("{c}", name));

/** The text side of a batch: prompts as ids, trimmed to the longest, or as long as `length` says. */
export const encodeTexts = ({ config, tokenizer }: Clip, texts: readonly string[], length?: number): TextBatch =>
  textBatch(config.text, tokenise(tokenizer, texts, config.text.context).ids, length);

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
export const transformOf = ({ config, preprocess }: Model): ReturnType<typeof imageTransform> =>
  imageTransform(preprocess, { height: config.vision.imageSize, width: config.vision.imageSize });

/** Options of {@link encode}. */
export interface EncodeOptions {
  /** Images in a batch. Default 64. */
  readonly batch?: number;
  /** The random transform of training images. Default: none, the evaluation transform. */
  readonly augment?: Augment;
  /** Steps that batches are made for: one length for all tasks, or one for each. */
  readonly steps: PerTask<Length>;
  /**
   * `classes`: the prompts of the task's classes, the same in every step. `images`: the prompt of every image's class, and targets that share
   * each row's weight among the images of one class, T_ij = 1[y_i = y_j] / #{k: y_k = y_i} (DAC, METHODS.md C.3.1). Default `classes`.
   */
  readonly texts?: "classes" | "images";
  /** The template of the prompts: the task's first, or one drawn for the run (METHODS.md C.3.1). Default `first`. */
  readonly template?: "first" | "random";
}

/** Texts and targets of a step, from the labels of its images. */
interface Captions {
  readonly texts: number;
  readonly length: number;
  readonly previous: number;
  readonly of: (labels: Uint32Array) => HostRecord;
}

/** The classes of the task, where the model has no text: targets alone. */
const unnamed = (classes: number): Captions => ({ texts: classes, length: 0, previous: 0, of: (labels) => ({ ...targets(labels, classes) }) });

const ofClasses = (clip: Clip, list: readonly string[], previous: number): Captions => {
  const { ids, ends, count, length } = encodeTexts(clip, list);
  return { texts: count, length, previous, of: (labels) => ({ ...targets(labels, count), ids, ends }) };
};

const ofImages = (clip: Clip, list: readonly string[], images: number): Captions => {
  const { ids, ends, length } = encodeTexts(clip, list);
  return {
    texts: images,
    length,
    previous: 0,
    of: (labels) => {
      const [rows, last] = [new Uint32Array(images * length), new Uint32Array(images)];
      const soft = new Float32Array(images * images);
      labels.forEach((label, i) => {
        rows.set(ids.subarray(label * length, (label + 1) * length), i * length);
        last[i] = i * length + ends[label] - label * length;
        const same = labels.reduce((n, other) => n + (other === label ? 1 : 0), 0);
        labels.forEach((other, j) => (soft[i * images + j] = other === label ? 1 / same : 0));
      });
      // T is its own transpose: images of one class have the same divisor.
      return { ids: rows, ends: last, targets: soft, transposedTargets: soft };
    },
  };
};

/**
 * Makes training batches of a task: images in a seeded order, augmented and normalised; prompts as texts; targets. Fails with the example that cannot
 * be decoded, unless the runtime skips those.
 */
export const encode = ({ batch = 64, augment, steps, texts = "classes", template = "first" }: EncodeOptions): TaskStage<Lesson, Lesson & WithBatches> =>
  taskStage(
    "encode",
    { batch, augment: augment === undefined ? "none" : "random", steps, texts, template },
    (lesson) => (runtime) =>
      pipe(
        lesson.task.train,
        TE.chainEitherK((examples): E.Either<Failure, Lesson & WithBatches> => {
          const {
            learner: { model, seen },
            task: { name, classNames, templates },
            position,
          } = lesson;
          if (examples.length === 0) return E.left({ _tag: "FileUnreadable", path: name, detail: "the training split is empty" });
          const length = perTask(steps, position);
          const count = typeof length === "number" ? length : Math.ceil((examples.length * length.epochs) / batch);
          const epoch = Math.max(1, Math.floor(examples.length / batch));
          const images = batches({
            // A pass over the task may be longer than its training.
            examples,
            decode: decoderOf(lesson.task),
            batch,
            augment,
            length: { steps: Math.max(count, epoch) },
            transform: transformOf(model),
            seed: random(runtime.seed, "batches", position).integer(2 ** 31),
            cache: runtime.images,
            onCorrupt: runtime.onCorrupt,
          });
          const drawn = template === "first" ? 0 : random(runtime.seed, "template", position).integer(templates.length);
          const list = prompts(templates[drawn], classNames);
          const captions = !isClip(model)
            ? unnamed(classNames.length)
            : texts === "classes"
              ? ofClasses(model, list, seen.length)
              : ofImages(model, list, batch);
          const report = skippedReporter(runtime.emit);
          return E.right({
            ...lesson,
            batches: {
              shape: { images: batch, texts: captions.texts, length: captions.length, previous: captions.previous },
              steps: count,
              epoch,
              ...(isClip(model) ? { prompts: encodeTexts(model, list, model.config.text.context) } : {}),
              at: (step) =>
                pipe(
                  images.at(step),
                  TE.map(({ pixels, labels }): HostRecord => {
                    report(images.skipped());
                    return { pixels, ...captions.of(labels) };
                  }),
                ),
            },
          });
        }),
      ),
  );
