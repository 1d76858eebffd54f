/** The answers to the test images of tasks and probes, and the accuracies that follow. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { firstOfName } from "../data/classNames.ts";
import { labelSpace } from "../data/labelSpace.ts";
import type { LabelSpace, Stream, Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Learner } from "../model/learner.ts";
import type { Answers } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import type { Encoder, ImageFeatures } from "./features.ts";
import type { Calibration } from "./inference.ts";
import { best, type Candidates, type Score } from "./scores.ts";

/** What is scored, and in which label spaces. */
export interface Scoring {
  readonly learner: Learner;
  readonly stream: Stream;
  readonly learned: number;
  readonly spaces: readonly LabelSpace[];
  readonly calibration?: Calibration;
}

/** What images are compared with: the texts of all classes, where the architecture reads any, and the learner's head. */
export type ScoreOf = (images: ImageFeatures) => Score;

/** What came of the images of one task or probe. */
export interface Column {
  /** In percent, by label space; a probe has one. Null where the learner cannot tell its classes apart, or none of its images could be read. */
  readonly accuracies: readonly (number | null)[];
  readonly images: number;
  /** In the first label space. */
  readonly answers: Answers | null;
}

/** The failure of a score that is no number. */
export const notFiniteScore = (what: string): Failure => ({
  _tag: "NotFinite",
  what,
  advice: "the model's weights or its head are too large to compute with: they are damaged, or were trained at too high a rate",
});

/** What a stream has scored: its tasks, and then its probes, whose classes count on from those of the tasks. */
export const scoredOf = ({ tasks, probes = [] }: Stream): readonly Task[] => [...tasks, ...probes];

/**
 * The classes of all that a stream has scored; undefined for those that the learner cannot tell apart, because neither texts nor a head know them. No head
 * knows those of a probe.
 */
export const candidatesOf = ({ model, head }: Learner, stream: Stream): readonly (Candidates | undefined)[] => {
  const byTexts = model.architecture.readout.texts !== undefined;
  const rows = head?.bias.length ?? 0;
  let first = 0;
  return scoredOf(stream).map(({ classNames: { length: count } }, position) => {
    const candidates = { position, first, count };
    first += count;
    return byTexts || (first <= rows && position < stream.tasks.length) ? candidates : undefined;
  });
};

const uncorrected = (): number => 0;

/** The classes that the images of one task or probe are answered with, in each of its label spaces. */
const answersOf = (
  { learner, stream, learned, spaces, calibration }: Scoring,
  all: readonly (Candidates | undefined)[],
  own: Candidates,
  images: ImageFeatures,
  score: Score,
): E.Either<Failure, readonly (readonly number[])[]> => {
  const { tasks } = stream;
  const { position } = own;
  const among =
    position < tasks.length
      ? spaces.map((space) => labelSpace(stream, position, learned, space).tasks.flatMap((task) => all[tasks.indexOf(task)] ?? []))
      : [[own]];
  const calibrated = calibration?.of(learner, images.notes) ?? uncorrected;
  const answers: number[][] = [];
  for (const candidates of among) {
    // Where the task of an image is given there is none to predict.
    const correction = candidates.length > 1 ? calibrated : uncorrected;
    const row: number[] = [];
    for (let i = 0; i < images.count; i++) {
      const answer = best(i, score, candidates, correction);
      if (answer === undefined) return E.left(notFiniteScore(`A score of an image of ${scoredOf(stream)[position].name}`));
      row.push(answer);
    }
    answers.push(row);
  }
  return E.right(answers);
};

/** A column of each task and probe, in their order. An answer is right if it is the class of the image, or another of the same name. */
export const columnsOf = (scoring: Scoring, encode: Encoder, scoreOf: ScoreOf, runtime: Runtime): TE.TaskEither<Failure, readonly Column[]> => {
  const { learner, stream, spaces } = scoring;
  const scored = scoredOf(stream);
  const all = candidatesOf(learner, stream);
  const name = firstOfName(scored);
  const column = ({ position, first }: Candidates, { ids, labels: within, count }: ImageFeatures, answers: readonly (readonly number[])[]): Column => {
    const labels = Array.from(within, (label) => first + label);
    const hits = answers.map((row) => row.filter((answer, i) => name[answer] === name[labels[i]]).length);
    const accuracies = hits.map((n) => (count === 0 ? null : (100 * n) / count));
    const probe = position >= stream.tasks.length;
    const dataset = scored[position].name;
    runtime.emit({ type: "evaluation", dataset, correct: hits[0], total: count, accuracy: accuracies[0], ...(probe ? { probe } : {}) });
    return { accuracies, images: count, answers: count === 0 ? null : { ids, labels, answers: answers[0] } };
  };
  return pipe(
    all.map((own, j) => ({ own, task: scored[j] })),
    TE.traverseSeqArray(({ own, task }): TE.TaskEither<Failure, Column> => {
      if (own === undefined) return TE.right({ accuracies: spaces.map(() => null), images: 0, answers: null });
      return pipe(
        task.test,
        TE.chain((examples) => encode.images(task, examples)),
        TE.chainEitherK((images) =>
          pipe(
            answersOf(scoring, all, own, images, scoreOf(images)),
            E.map((answers) => column(own, images, answers)),
          ),
        ),
      );
    }),
  );
};
