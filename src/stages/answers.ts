/** The answers to the test images of tasks and probes, and the accuracies that follow. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { firstOfName } from "../data/classNames.ts";
import { labelSpace } from "../data/labelSpace.ts";
import type { LabelSpace, ClassStream, ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { readoutOf } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";
import type { Prediction, Top } from "../report/predictions.ts";
import type { Answers } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import type { Encoder } from "./features.ts";
import type { Features, ImageFeatures } from "./imageFeatures.ts";
import type { Calibration } from "./inference.ts";
import { best, ranking, type Candidates, type Correction, type Likely, type Score } from "./scores.ts";

/** What is scored, and in which label spaces. */
export interface Scoring {
  readonly learner: Learner;
  readonly stream: ClassStream;
  readonly learned: number;
  readonly spaces: readonly LabelSpace[];
  readonly calibration?: Calibration;
}

/** What images are compared with: the texts of all classes, where the architecture reads any, and the learner's head. */
export interface Compared {
  readonly scoreOf: (images: ImageFeatures) => Score;
  /** Unit features of the texts of all classes, in their order. */
  readonly texts?: Features;
}

/** The features of the texts of some tasks' classes. */
export const textsAmong = ({ texts }: Compared, among: readonly Candidates[]): Features | undefined => {
  if (texts === undefined) return undefined;
  const width = texts.data.length / texts.count;
  const data = Float32Array.from(among.flatMap(({ first, count }) => [...texts.data.subarray(first * width, (first + count) * width)]));
  return { count: data.length / width, data };
};

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
export const scoredOf = ({ tasks, probes = [] }: ClassStream): readonly ClassTask[] => [...tasks, ...probes];

/**
 * The classes of all that a stream has scored; undefined for those that the learner cannot tell apart, because neither texts nor a head know them. No head
 * knows those of a probe.
 */
export const candidatesOf = ({ model, head }: Learner, stream: ClassStream): readonly (Candidates | undefined)[] => {
  const byTexts = readoutOf(model.architecture).texts !== undefined;
  const rows = head?.bias.length ?? 0;
  let first = 0;
  return scoredOf(stream).map(({ classNames: { length: count } }, position) => {
    const candidates = { position, first, count };
    first += count;
    return byTexts || (first <= rows && position < stream.tasks.length) ? candidates : undefined;
  });
};

const uncorrected = (): number => 0;

/** Where the task of an image is given there is none to predict. */
const correctionOf = ({ learner, calibration }: Pick<Scoring, "learner" | "calibration">, among: readonly Candidates[], images: ImageFeatures): Correction =>
  among.length > 1 ? (calibration?.of(learner, images.notes) ?? uncorrected) : uncorrected;

/** How the classes of some tasks rank for each of some images; of classes with one name that `name` says, the best stands for all. */
export const rankingsOf = (
  scoring: Pick<Scoring, "learner" | "calibration">,
  among: readonly Candidates[],
  images: ImageFeatures,
  score: Score,
  name: readonly number[],
): E.Either<Failure, readonly (readonly Likely[])[]> => {
  const correction = correctionOf(scoring, among, images);
  return pipe(
    Array.from({ length: images.count }, (_, i) => i),
    E.traverseArray((i) => E.fromNullable(notFiniteScore(`A score of ${images.ids[i]}`))(ranking(i, score, among, correction, name))),
  );
};

/** The classes that the images of one task or probe are answered with, in each of its label spaces. */
const candidatesIn = ({ stream, learned, spaces }: Scoring, all: readonly (Candidates | undefined)[], own: Candidates): readonly (readonly Candidates[])[] => {
  const { tasks } = stream;
  if (own.position >= tasks.length) return [[own]];
  return spaces.map((space) => labelSpace(stream, own.position, learned, space).tasks.flatMap((task) => all[tasks.indexOf(task)] ?? []));
};

/** The classes that images are answered among, and the features that they have there. */
interface Among {
  readonly candidates: readonly Candidates[];
  readonly images: ImageFeatures;
}

/** The answers to the images of one task or probe among each of several lists of classes. */
const answersOf = (
  scoring: Scoring,
  among: readonly Among[],
  task: string,
  scoreOf: Compared["scoreOf"],
): E.Either<Failure, readonly (readonly number[])[]> => {
  const answers: number[][] = [];
  for (const { candidates, images } of among) {
    const score = scoreOf(images);
    const correction = correctionOf(scoring, candidates, images);
    const row: number[] = [];
    for (let i = 0; i < images.count; i++) {
      const answer = best(i, score, candidates, correction);
      if (answer === undefined) return E.left(notFiniteScore(`A score of an image of ${task}`));
      row.push(answer);
    }
    answers.push(row);
  }
  return E.right(answers);
};

/** What the images of one task or probe are taken for, with the `top` likeliest classes. `name` has the number of a name for each class. */
const predictionsOf = (
  scoring: Scoring,
  own: Candidates,
  among: readonly Candidates[],
  images: ImageFeatures,
  score: Score,
  name: readonly number[],
  top: number,
): E.Either<Failure, readonly Prediction[]> => {
  const classNames = scoredOf(scoring.stream).flatMap((task) => task.classNames);
  const named = ({ cls, score }: Likely): Top[number] => ({ label: classNames[cls], score });
  return pipe(
    rankingsOf(scoring, among, images, score, name),
    E.map((rankings) =>
      rankings.map((ranked, i): Prediction => {
        const label = own.first + images.labels[i];
        const right = ranked.find(({ cls }) => cls === name[label]);
        return { sample: images.ids[i], label: classNames[label], score: right!.score, top: ranked.slice(0, top).map(named) };
      }),
    ),
  );
};

/** The features of a task's images among each of several lists of classes; encoded once where they do not depend on these. */
const encodedAmong = (
  encode: Encoder,
  compared: Compared,
  task: ClassTask,
  lists: readonly (readonly Candidates[])[],
): TE.TaskEither<Failure, readonly Among[]> =>
  pipe(
    task.test,
    TE.chain((examples) => {
      const keys = lists.map((candidates) => (encode.adapts ? candidates.map(({ position }) => position).join() : ""));
      const distinct = [...new Set(keys)];
      return pipe(
        distinct,
        TE.traverseSeqArray((key) => encode.images(task, examples, textsAmong(compared, lists[keys.indexOf(key)]))),
        TE.map((images) => lists.map((candidates, i) => ({ candidates, images: images[distinct.indexOf(keys[i])] }))),
      );
    }),
  );

/** A column of each task and probe, in their order. An answer is right if it is the class of the image, or another of the same name. */
export const columnsOf = (scoring: Scoring, encode: Encoder, compared: Compared, runtime: Runtime): TE.TaskEither<Failure, readonly Column[]> => {
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
        encodedAmong(encode, compared, task, candidatesIn(scoring, all, own)),
        TE.chainEitherK((among) => {
          const [{ candidates, images }] = among;
          const [{ scoreOf }, { top }] = [compared, runtime];
          return pipe(
            answersOf(scoring, among, task.name, scoreOf),
            E.bindTo("answers"),
            E.bind("predictions", () => (top === undefined ? E.right([]) : predictionsOf(scoring, own, candidates, images, scoreOf(images), name, top))),
            E.map(({ answers, predictions }) => {
              if (top !== undefined) runtime.emit({ type: "predictions", dataset: task.name, predictions });
              return column(own, images, answers);
            }),
          );
        }),
      );
    }),
  );
};
