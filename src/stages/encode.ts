/** `encode`: turns a task into batches that a device can take. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Augment } from "../data/augment.ts";
import { beside, type Batches } from "../data/batches.ts";
import type { Example } from "../data/example.ts";
import { isAnswered, isAnswerStream, type ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { textEncoder } from "../model/inputs.ts";
import { random } from "../random.ts";
import { size } from "../tensor/tensor.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { fits } from "../training/limits.ts";
import type { Runtime } from "../training/runtime.ts";
import { perTask, type Length, type PerTask } from "../training/schedule.ts";
import type { Suits } from "../training/suits.ts";
import type { TrainingBatches } from "../training/trainee.ts";
import { ofClasses, ofImages, prompts, withoutTexts } from "./captions.ts";
import { answerBatches } from "./encodeAnswers.ts";
import { pooledClasses } from "./pool.ts";
import { referenceOf } from "./reference.ts";
import { replayedOf, type Replayed } from "./replayed.ts";
import { taskStage, type TaskStage } from "./stage.ts";
import { encodedBy, notEmpty, walked } from "./walks.ts";

/** Options of {@link encode}. */
export interface EncodeOptions {
  /** Images, or questions, in a batch. Default 64. */
  readonly batch?: number;
  /** The random transform of the images of classes. Pictures of questions are seen whole. Default: none, the evaluation transform. */
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
  /** The share of every batch that is drawn from what `keepExamples` has kept of past tasks, at least one example where there are any. Default 0. */
  readonly replay?: number;
  /**
   * Whether as many reference pictures stand beside every batch, with the prompts of their classes, for an objective of their own (`gradient`). They are those
   * of the stream's reference dataset, or of the task where it has none, without any random transform. Default false.
   */
  readonly reference?: boolean;
}

type Complete = EncodeOptions & Required<Pick<EncodeOptions, "batch" | "texts" | "template" | "replay">>;

/** What is learned of a task that is classified: its own images, and those that are kept of past tasks, whose classes stand behind its own. */
interface Both {
  readonly task: ClassTask;
  readonly own: readonly Example[];
  readonly kept: readonly Example[];
  /** How many of a batch are kept images. */
  readonly replayed: number;
}

/** The images of a task, with those that are kept of past ones where they are replayed. */
const bothOf = (own: readonly Example[], task: ClassTask, { past, replayed }: Replayed): TE.TaskEither<Failure, Both> => {
  if (replayed === 0) return TE.right({ task, own, kept: [], replayed });
  const classified = past.flatMap(({ task: of, examples }): readonly ClassTask[] =>
    isAnswered(of) ? [] : [{ ...of, train: TE.right(examples.filter((example): example is Example => "label" in example)) }],
  );
  const pooled = pooledClasses([{ ...task, train: TE.right(own) }, ...classified]);
  return TE.map((all: readonly Example[]): Both => ({ task: pooled, own: all.slice(0, own.length), kept: all.slice(own.length), replayed }))(pooled.train);
};

/** The images of all steps, and of a walk over the task where that is longer: so many of its own a batch, and so many that are kept. */
const imagesOf = ({ task, own, kept, replayed }: Both, lesson: Lesson, runtime: Runtime, steps: number, { batch, augment }: Complete): Batches => {
  const first = walked({ task, examples: own, batch: batch - replayed, augment, steps, purpose: "batches" }, lesson, runtime);
  return replayed === 0 ? first : beside(first, walked({ task, examples: kept, batch: replayed, augment, steps, purpose: "replay" }, lesson, runtime));
};

/** Whether the device can hold the pixels of a batch, or of its largest part; to be asked before anything is made for one. Fails with `OverLimit`. */
const pixelsFit = ({ learner: { model } }: Lesson, { device, accumulate = 1 }: Runtime, batch: number): E.Either<Failure, void> => {
  const { pixels } = model.architecture.inputs(model.config, { images: Math.ceil(batch / accumulate), texts: 0, length: 0 });
  return pixels === undefined ? E.right(undefined) : fits(device, "input pixels", size(pixels.shape), "batch");
};

/** Whether a batch has a place for an example of a past task beside one of its own. Fails with `BadOption`. */
const hasPlaces = (batch: number, replay: number): E.Either<Failure, void> =>
  replay === 0 || batch > 1
    ? E.right(undefined)
    : E.left({
        _tag: "BadOption",
        option: "batch",
        detail: "should be at least 2: one place for an example of the task, and one for a past one that is replayed",
      });

/** Whether images of past tasks can stand in a batch; to be asked before the first task. Fails with `ShapeMismatch` where a head tells classes apart. */
const mayReplay = ({ learner: { model } }: Pick<Lesson, "learner">, replay: number): E.Either<Failure, void> => {
  if (replay === 0 || model.architecture.texts !== undefined) return E.right(undefined);
  const detail = `a ${model.architecture.name} reads no texts: its head has rows for the classes of a task alone, and images of past tasks have none`;
  return E.left({ _tag: "ShapeMismatch", op: "replay", detail });
};

/** The steps of a task: so many, or so many walks over its examples. */
const stepsOf = ({ steps, batch }: Pick<Complete, "steps" | "batch">, position: number, examples: number): number => {
  const length = perTask(steps, position);
  return typeof length === "number" ? length : Math.ceil((examples * length.epochs) / batch);
};

const batchesOf = (both: Both, lesson: Lesson, runtime: Runtime, options: Complete): TrainingBatches => {
  const { learner, position } = lesson;
  const { batch, texts, template } = options;
  const { task, own, replayed } = both;
  const fresh = batch - replayed;
  const steps = stepsOf({ ...options, batch: fresh }, position, own.length);
  const epoch = Math.max(1, Math.floor(own.length / fresh));
  const images = imagesOf(both, lesson, runtime, Math.max(steps, epoch), options);
  const { architecture, config } = learner.model;
  const tokens = textEncoder(learner.model);
  const drawn = template === "first" ? 0 : random(runtime.seed, "template", position).integer(task.templates.length);
  const list = prompts(task.templates[drawn], task.classNames);
  const captions = tokens === undefined ? withoutTexts(task.classNames.length) : texts === "classes" ? ofClasses(tokens(list)) : ofImages(tokens(list), batch);
  // Only where a batch holds all classes of its task do those of earlier tasks count in its means, unless they are in the batch themselves.
  const previous = tokens !== undefined && texts === "classes" && replayed === 0 ? learner.seen.length : 0;
  return {
    shape: { images: batch, texts: captions.texts, length: captions.length, previous },
    steps,
    epoch,
    ...(tokens === undefined ? {} : { prompts: tokens(list, architecture.texts!.context(config)) }),
    at: encodedBy(images, captions, runtime),
  };
};

/**
 * Makes training batches of a task. Where it is classified: images in a seeded order, augmented and normalised; prompts as texts; targets. Where it is answered
 * in words: questions with their answers in such an order, of which the answers are trained. Fails with the example that cannot be decoded, unless the runtime
 * skips those; and with `OverLimit` where a batch is too large for the device.
 */
export const encode = <L extends Lesson>({
  batch = 64,
  texts = "classes",
  template = "first",
  replay = 0,
  reference = false,
  ...rest
}: EncodeOptions): TaskStage<L, L & WithBatches> => {
  const options: Complete = { batch, texts, template, replay, ...rest };
  const augment = rest.augment === undefined ? "none" : "random";
  const described = { batch, augment, steps: rest.steps, texts, template, ...(replay === 0 ? {} : { replay }), ...(reference ? { reference } : {}) };
  const stage = taskStage<L, L & WithBatches>("encode", described, (lesson) => (runtime) => {
    const { task, position } = lesson;
    const batched = isAnswered(task)
      ? pipe(
          notEmpty(task.name, task.train),
          TE.bindTo("questions"),
          TE.bind("replayed", () => TE.fromEither(replayedOf(lesson, options, runtime))),
          TE.chainEitherK(({ questions, replayed: { past, replayed } }) =>
            answerBatches(questions, task, lesson, runtime, {
              ...{ batch, past, replayed },
              steps: stepsOf({ steps: rest.steps, batch: batch - replayed }, position, questions.length),
            }),
          ),
          TE.chainFirstEitherK(({ shape: { images } }) => pixelsFit(lesson, runtime, images)),
        )
      : pipe(
          notEmpty(task.name, task.train),
          TE.chainFirstEitherK(() => pixelsFit(lesson, runtime, batch)),
          TE.chainFirstEitherK(() => mayReplay(lesson, replay)),
          TE.bindTo("examples"),
          TE.bind("replayed", () => TE.fromEither(replayedOf(lesson, options, runtime))),
          TE.chain(({ examples, replayed }) => bothOf(examples, task, replayed)),
          TE.map((both) => batchesOf(both, lesson, runtime, options)),
          TE.chain((own) =>
            reference
              ? pipe(
                  referenceOf(task, lesson, runtime, own.steps, batch),
                  TE.map((beside) => ({ ...own, reference: beside })),
                )
              : TE.right(own),
          ),
        );
    return pipe(
      batched,
      TE.map((batches): L & WithBatches => ({ ...lesson, batches })),
    );
  });
  const suits: Suits = (learner, stream) =>
    pipe(
      hasPlaces(batch, replay),
      E.chain(() => (isAnswerStream(stream) ? E.right(undefined) : mayReplay({ learner }, replay))),
    );
  return { ...stage, ...(reference ? { reference } : {}), suits };
};
