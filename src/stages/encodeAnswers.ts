/** Batches of questions with their answers, for a task that is answered in words. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { decoderOf } from "../data/decode.ts";
import type { Image } from "../data/example.ts";
import { concurrently, type Skipped } from "../data/loader.ts";
import { answersOf, damageOf, type Question } from "../data/question.ts";
import { isAnswered, type AnswerTask } from "../data/task.ts";
import { mixed, walk } from "../data/walk.ts";
import type { Failure } from "../failure.ts";
import { askingOf, pictureTokensOf } from "../language/asking.ts";
import { pictureLoader, pixelsFor, writePictures, type LoadPictures } from "../language/pictures.ts";
import { continuingOf } from "../language/prompts.ts";
import { inputsOfRows, predictedOf, rowsOf, upTo, type RowsShape } from "../language/rows.ts";
import { answered, type Asking, type Sequence } from "../language/sequences.ts";
import type { BatchSize } from "../model/architecture.ts";
import { transformOf } from "../model/inputs.ts";
import type { Model } from "../model/model.ts";
import { cut } from "../model/part.ts";
import { random } from "../random.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { Lesson } from "../training/lesson.ts";
import { skippedReporter, type Runtime } from "../training/runtime.ts";
import type { BatchParts } from "../training/parts.ts";
import type { TrainingBatches } from "../training/trainee.ts";
import type { Past } from "./replayed.ts";

/** What of the options of `encode` counts for questions. */
export interface AnswerBatchOptions {
  readonly batch: number;
  readonly steps: number;
  /** Past tasks, and what is kept of them. */
  readonly past: readonly Past[];
  /** How many of a batch are kept questions of past tasks. */
  readonly replayed: number;
}

/** A question as tokens, or why it has none, and what loads its pictures. */
interface Learned {
  readonly question: Question;
  readonly sequence: E.Either<Failure, Sequence>;
  readonly load: LoadPictures;
}

/** A question that can be learned, with its pictures. */
interface Found {
  readonly question: Question;
  readonly sequence: Sequence;
  readonly images: readonly Image[];
}

/** Lengths of sequences are rounded up to this. */
const tile = 8;

/** The largest sum that so many of some numbers can have, of which a batch over the end of an epoch may hold each several times. */
const largestSum = (numbers: readonly number[], count: number): number => {
  if (count === 0) return 0;
  const times = Math.ceil((count - 1) / numbers.length) + 1;
  const largest = [...numbers].sort((a, b) => b - a);
  let [sum, left] = [0, count];
  for (const n of largest) {
    const taken = Math.min(times, left);
    sum += n * taken;
    left -= taken;
  }
  return sum;
};

/** What is learned: the questions of the task, and those that are kept of past ones. */
interface Both {
  readonly own: readonly Learned[];
  readonly kept: readonly Learned[];
}

const sequencesOf = (learned: readonly Learned[]): readonly Sequence[] => learned.flatMap(({ sequence }) => (E.isRight(sequence) ? [sequence.right] : []));

/** Room for what so many own and so many kept ones can have to predict. */
const mostPositions = ({ own, kept }: Both, owned: number, replayed: number): number => {
  const answers = (of: readonly Learned[]): readonly number[] => sequencesOf(of).map((sequence) => predictedOf(sequence).length);
  return upTo(largestSum(answers(own), owned) + largestSum(answers(kept), replayed), tile);
};

/** The shape that every batch of some sequences fits into. */
const shapeOf = ({ own, kept }: Both, { batch, replayed }: AnswerBatchOptions, pictureTokens: number): RowsShape => {
  const learned = [...own, ...kept];
  const most = (of: (sequence: Sequence) => number): number => sequencesOf(learned).reduce((n, sequence) => Math.max(n, of(sequence)), 0);
  return {
    texts: batch,
    length: upTo(
      most(({ ids }) => ids.length),
      tile,
    ),
    positions: mostPositions({ own, kept }, batch - replayed, replayed),
    pictures: learned.reduce((n, { question }) => Math.max(n, question.pictures.length), 0),
    pictureTokens,
  };
};

const sizeOf = ({ texts, length, positions, pictures }: RowsShape): BatchSize => ({ images: texts * pictures, texts, length, positions });

/** Batches in `count` parts: each has room for the longest answers that so many questions can have. */
const partsOfRows = (both: Both, whole: RowsShape, count: number, { batch, replayed }: Pick<AnswerBatchOptions, "batch" | "replayed">): BatchParts => {
  const parts = cut(batch, count).map(([first, texts], index) => {
    const shape = { ...whole, texts, positions: mostPositions(both, Math.min(texts, batch - replayed), Math.min(texts, replayed)) };
    return { shape, part: { index, count, first, examples: texts, size: sizeOf(shape), splits: () => true } };
  });
  return { parts: parts.map(({ part }) => part), of: (batch) => parts.map(({ shape, part }) => rowsOf(batch, whole, part.first, shape)) };
};

/** The inputs of a batch of questions: each token of an answer has the same part of the mean; `seen` is 1 for every picture that there is. */
const recordOf = (found: readonly Found[], shape: RowsShape, pad: number): HostRecord => {
  const tokens = found.reduce((n, { sequence }) => n + predictedOf(sequence).length, 0);
  const rows = found.map(({ sequence }) => ({ ...sequence, predicted: predictedOf(sequence, 1 / tokens) }));
  const seen = new Float32Array(shape.texts * shape.pictures);
  found.forEach(({ images }, place) => seen.fill(1, place * shape.pictures, place * shape.pictures + images.length));
  return { ...inputsOfRows(rows, shape, pad), seen };
};

/** A question with the first of its answers, unless it stands for damaged data. */
const learnable = (asking: Asking, question: Question): E.Either<Failure, Sequence> => {
  const damage = damageOf(question);
  return damage === undefined ? answered(asking, question, answersOf(question)[0] ?? "") : E.left(damage);
};

/** What is to be said of sequences that were cut; undefined where none was. */
const cutNote = (learned: readonly Learned[], { name }: AnswerTask, { longest }: Asking): string | undefined => {
  const cut = learned.filter(({ sequence }) => E.isRight(sequence) && sequence.right.cut > 0).length;
  if (cut === 0) return undefined;
  return `${cut} of ${learned.length} questions of ${name} are longer than ${longest} tokens with their answers; they are cut at their beginning`;
};

/** Training batches of questions that are tokens already. */
const batchesOf = (
  { own, kept }: Both,
  { shape, pad }: { readonly shape: RowsShape; readonly pad: number },
  { learner: { model }, position }: Lesson,
  runtime: Runtime,
  { batch, steps, replayed }: AnswerBatchOptions,
): TrainingBatches => {
  const transform = shape.pictures > 0 ? transformOf(model) : undefined;
  const skipped = new Map<Question, Skipped>();
  const found = async ({ question, sequence, load }: Learned): Promise<E.Either<Failure, Found>> => {
    if (E.isLeft(sequence)) return sequence;
    return E.map((images: readonly Image[]): Found => ({ question, sequence: sequence.right, images }))(await load(question));
  };
  const find = async (one: Learned): Promise<E.Either<Failure, Found>> => {
    const result = await found(one);
    if (E.isLeft(result)) skipped.set(one.question, { id: one.question.id, failure: result.left });
    return result;
  };
  const walked = (learned: readonly Learned[], purpose: string) =>
    walk(learned, random(runtime.seed, purpose, position).integer(2 ** 31), find, runtime.onCorrupt ?? "fail");
  const pick = mixed(walked(own, "batches"), walked(kept, "replay"), batch, replayed);
  const report = skippedReporter(runtime);
  const at = (step: number) => async (): Promise<E.Either<Failure, HostRecord>> => {
    const pixels = pixelsFor(transform, shape.texts * shape.pictures);
    const picked: E.Either<Failure, Found>[] = [];
    await concurrently(batch, 4, async (place) => {
      picked[place] = E.chainFirst(({ question, images }: Found) =>
        transform === undefined ? E.right(undefined) : writePictures(transform, question, images, pixels, place * shape.pictures),
      )(await pick(step * batch + place));
    });
    report([...skipped.values()]);
    return E.map((found: readonly Found[]) => ({ ...recordOf(found, shape, pad), pixels }))(E.sequenceArray(picked));
  };
  return {
    shape: { ...sizeOf(shape), previous: 0 },
    inParts: (count) => partsOfRows({ own, kept }, shape, count, { batch, replayed }),
    steps,
    epoch: Math.max(1, Math.floor(own.length / (batch - replayed))),
    at,
  };
};

/** The questions of a task as tokens, and what loads their pictures. Fails where the task is asked in a way that the model does not know. */
const learnedOf = (questions: readonly Question[], task: AnswerTask, model: Model, runtime: Runtime): E.Either<Failure, readonly Learned[]> =>
  pipe(
    askingOf(model, task),
    E.map((asking) => {
      const load = pictureLoader({ decode: decoderOf(task), cache: runtime.images });
      const learned = questions.map((question): Learned => ({ question, sequence: learnable(asking, question), load }));
      const detail = cutNote(learned, task, asking);
      if (detail !== undefined) runtime.emit({ type: "note", detail });
      return learned;
    }),
  );

/** Fails with the first question that has no tokens, unless such are skipped and there are others. */
const mostlyGood = (learned: readonly Learned[], { onCorrupt }: Runtime): E.Either<Failure, unknown> => {
  const bad = learned.find(({ sequence }) => E.isLeft(sequence));
  const none = learned.every(({ sequence }) => E.isLeft(sequence));
  return bad === undefined || (onCorrupt === "skip" && !none) ? E.right(undefined) : bad.sequence;
};

/** The questions that are kept of past tasks, as each task asks them. */
const keptOf = (past: readonly Past[], model: Model, runtime: Runtime): E.Either<Failure, readonly Learned[]> =>
  pipe(
    past,
    E.traverseArray(({ task, examples }) => {
      const questions = examples.filter((example): example is Question => "prompt" in example);
      return isAnswered(task) ? learnedOf(questions, task, model, runtime) : E.right([]);
    }),
    E.map((lists) => lists.flat()),
  );

/**
 * Training batches of questions in a seeded order, each as long as the longest of the task, of which the answers alone are trained; some may be kept ones of
 * past tasks. Fails with the question that has no answer, or whose pictures cannot be decoded, unless the runtime skips those.
 */
export const answerBatches = (
  questions: readonly Question[],
  task: AnswerTask,
  lesson: Lesson,
  runtime: Runtime,
  options: AnswerBatchOptions,
): E.Either<Failure, TrainingBatches> => {
  const { model } = lesson.learner;
  return pipe(
    continuingOf(model),
    E.bind("own", () => learnedOf(questions, task, model, runtime)),
    E.chainFirst(({ own }) => mostlyGood(own, runtime)),
    E.bind("kept", () => (options.replayed === 0 ? E.right([]) : keptOf(options.past, model, runtime))),
    E.map(({ tokenizer, own, kept }) => {
      const both = { own, kept };
      const shape = shapeOf(both, options, pictureTokensOf(model));
      return batchesOf(both, { shape, pad: tokenizer.pad }, lesson, runtime, options);
    }),
  );
};
