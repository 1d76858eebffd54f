/** `encode`: turns a task into batches that a device can take. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Augment } from "../data/augment.ts";
import { batches, type Batches } from "../data/batches.ts";
import { decoderOf } from "../data/decode.ts";
import type { Example } from "../data/example.ts";
import { isAnswered, type ClassTask, type Split } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { textEncoder, transformOf } from "../model/inputs.ts";
import { random } from "../random.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { size } from "../tensor/tensor.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { fits } from "../training/limits.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";
import { perTask, type Length, type PerTask } from "../training/schedule.ts";
import type { TrainingBatches } from "../training/trainee.ts";
import { ofClasses, ofImages, prompts, withoutTexts } from "./captions.ts";
import { answerBatches } from "./encodeAnswers.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Options of {@link encode}. */
export interface EncodeOptions {
  /** Images, or questions, in a batch. Default 64. */
  readonly batch?: number;
  /** The random transform of training pictures. Default: none, the evaluation transform. */
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

type Complete = EncodeOptions & Required<Pick<EncodeOptions, "batch" | "texts" | "template">>;

/** The images of all steps, and of a walk over the task where that is longer. */
const imagesOf = (examples: readonly Example[], { task, position, learner }: Lesson, runtime: Runtime, steps: number, { batch, augment }: Complete): Batches =>
  batches({
    examples,
    decode: decoderOf(task),
    batch,
    augment,
    length: { steps },
    transform: transformOf(learner.model),
    seed: random(runtime.seed, "batches", position).integer(2 ** 31),
    cache: runtime.images,
    onCorrupt: runtime.onCorrupt,
  });

/** Whether the device can hold the pixels of a batch; to be asked before anything is made for one. Fails with `OverLimit`, which names the batch. */
const pixelsFit = ({ learner: { model } }: Lesson, { device }: Runtime, batch: number): E.Either<Failure, void> => {
  const { pixels } = model.architecture.inputs(model.config, { images: batch, texts: 0, length: 0 });
  return pixels === undefined ? E.right(undefined) : fits(device, "input pixels", size(pixels.shape), "batch");
};

/** The steps of a task: so many, or so many walks over its examples. */
const stepsOf = ({ steps, batch }: Complete, position: number, examples: number): number => {
  const length = perTask(steps, position);
  return typeof length === "number" ? length : Math.ceil((examples * length.epochs) / batch);
};

/** A training split that is not empty. */
const notEmpty = <Ex>(name: string, split: Split<Ex>): Split<Ex> =>
  pipe(
    split,
    TE.filterOrElse(
      (examples) => examples.length > 0,
      (): Failure => ({ _tag: "FileUnreadable", path: name, detail: "the training split is empty" }),
    ),
  );

const batchesOf = (examples: readonly Example[], task: ClassTask, lesson: Lesson, runtime: Runtime, options: Complete): TrainingBatches => {
  const { learner, position } = lesson;
  const { batch, texts, template } = options;
  const steps = stepsOf(options, position, examples.length);
  const epoch = Math.max(1, Math.floor(examples.length / batch));
  const images = imagesOf(examples, lesson, runtime, Math.max(steps, epoch), options);
  const { architecture, config } = learner.model;
  const tokens = textEncoder(learner.model);
  const drawn = template === "first" ? 0 : random(runtime.seed, "template", position).integer(task.templates.length);
  const list = prompts(task.templates[drawn], task.classNames);
  const captions = tokens === undefined ? withoutTexts(task.classNames.length) : texts === "classes" ? ofClasses(tokens(list)) : ofImages(tokens(list), batch);
  const report = skippedReporter(runtime.emit);
  return {
    // Only where a batch holds all classes of its task do those of earlier tasks count in its means.
    shape: { images: batch, texts: captions.texts, length: captions.length, previous: tokens !== undefined && texts === "classes" ? learner.seen.length : 0 },
    steps,
    epoch,
    ...(tokens === undefined ? {} : { prompts: tokens(list, architecture.texts!.context(config)) }),
    at: (step) =>
      pipe(
        images.at(step),
        TE.map(({ pixels, labels }): HostRecord => {
          report(images.skipped());
          return { pixels, ...captions.of(labels) };
        }),
      ),
  };
};

/**
 * Makes training batches of a task. Where it is classified: images in a seeded order, augmented and normalised; prompts as texts; targets. Where it is answered
 * in words: questions with their answers in such an order, of which the answers are trained. Fails with the example that cannot be decoded, unless the runtime
 * skips those; and with `OverLimit` where a batch is too large for the device.
 */
export const encode = <L extends Lesson>({ batch = 64, texts = "classes", template = "first", ...rest }: EncodeOptions): TaskStage<L, L & WithBatches> => {
  const options: Complete = { batch, texts, template, ...rest };
  const augment = rest.augment === undefined ? "none" : "random";
  return taskStage("encode", { batch, augment, steps: rest.steps, texts, template }, (lesson) => (runtime) => {
    const { task } = lesson;
    const batched = isAnswered(task)
      ? pipe(
          notEmpty(task.name, task.train),
          TE.chainEitherK((questions) =>
            answerBatches(questions, task, lesson, runtime, { batch, augment: rest.augment, steps: stepsOf(options, lesson.position, questions.length) }),
          ),
          TE.chainFirstEitherK(({ shape: { images } }) => pixelsFit(lesson, runtime, images)),
        )
      : pipe(
          notEmpty(task.name, task.train),
          TE.chainFirstEitherK(() => pixelsFit(lesson, runtime, batch)),
          TE.map((examples) => batchesOf(examples, task, lesson, runtime, options)),
        );
    return pipe(
      batched,
      TE.map((batches): L & WithBatches => ({ ...lesson, batches })),
    );
  });
};
