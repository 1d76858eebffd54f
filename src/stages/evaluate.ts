/** `evaluate`: one row of the accuracy matrix. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { firstOfName } from "../data/classNames.ts";
import { labelSpace } from "../data/labelSpace.ts";
import type { LabelSpace, Stream, Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf } from "../model/model.ts";
import type { Evaluated, MaybeMerged } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { prompts } from "./captions.ts";
import { encoder, type Encoder, type Features, type ImageFeatures } from "./features.ts";
import { best, ensemble, headScore, textScore, type Candidates, type Score } from "./scores.ts";
import { taskStage, withShapeFailures, type TaskStage } from "./stage.ts";

/** Corrects the logits of an image: what is added to those of each task's classes, by the position of the task, from what a branch noted of the image. */
export interface Calibration {
  readonly name: string;
  readonly options: unknown;
  readonly of: (learner: Learner, notes: Readonly<Record<string, Float32Array>>) => (image: number, position: number) => number;
}

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** `single`: the first template. `ensemble`: the mean of all templates' unit features, normalised again (METHODS.md F). Default `single`. */
  readonly templates?: "single" | "ensemble";
  /** Default: what the stream says. */
  readonly labelSpace?: LabelSpace;
  /** Other label spaces that the same images are scored in. Default: none. */
  readonly also?: readonly LabelSpace[];
}

/** What a method's evaluation has beside the options of its user. */
export interface Inference {
  /** A part of the model that is not merged. */
  readonly through?: Branch;
  readonly calibration?: Calibration;
}

/** Features of the texts of a task's classes. */
const classFeatures = (encode: Encoder, width: number, { templates, classNames }: Task, which: "single" | "ensemble"): TE.TaskEither<Failure, Features> =>
  pipe(
    which === "single" ? templates.slice(0, 1) : templates,
    TE.traverseSeqArray((template) => encode.texts(prompts(template, classNames))),
    TE.map((lists) => (lists.length === 1 ? lists[0] : ensemble(lists, width))),
  );

/** What a learner's images are compared with: the texts of all classes, where its architecture reads any. */
type ScoreOf = (images: ImageFeatures) => Score;

const notFiniteScore = (what: string): Failure => ({
  _tag: "NotFinite",
  what,
  advice: "the model's weights or its head are too large to compute with: they are damaged, or were trained at too high a rate",
});

const scoring = (learner: Learner, encode: Encoder, stream: Stream, templates: "single" | "ensemble"): TE.TaskEither<Failure, ScoreOf> => {
  const { model, head } = learner;
  const { width } = networkOf(model);
  const { readout } = model.architecture;
  const byHead = (images: ImageFeatures): Score | undefined => (head === undefined ? undefined : headScore(head, images, width));
  if (readout.texts === undefined) return TE.right((images) => byHead(images) ?? (() => 0));
  const scale = readout.scale?.(model.weights) ?? 1;
  if (!Number.isFinite(Math.fround(scale))) return TE.left(notFiniteScore("The scale of the logits"));
  return pipe(
    stream.tasks,
    TE.traverseSeqArray((task) => classFeatures(encode, width, task, templates)),
    TE.map((classes): ScoreOf => {
      const texts = Float32Array.from(classes.flatMap(({ data }) => [...data]));
      return (images) => {
        const [byText, added] = [textScore(scale, images, texts, width), byHead(images)];
        return added === undefined ? byText : (i, c) => byText(i, c) + added(i, c);
      };
    }),
  );
};

/** The classes of every task of a stream; undefined for those that the learner cannot tell apart, because neither texts nor a head know them. */
const candidatesOf = ({ model, head }: Learner, { tasks }: Stream): readonly (Candidates | undefined)[] => {
  const rows = model.architecture.readout.texts === undefined ? (head?.bias.length ?? 0) : Infinity;
  let first = 0;
  return tasks.map(({ classNames: { length: count } }, position) => {
    const candidates = { position, first, count };
    first += count;
    return first <= rows ? candidates : undefined;
  });
};

const uncorrected = (): number => 0;

/** What is scored, and in which label spaces. */
interface Scoring {
  readonly learner: Learner;
  readonly stream: Stream;
  readonly learned: number;
  readonly spaces: readonly LabelSpace[];
  readonly calibration?: Calibration;
}

/** How many images of a task are answered rightly, in each label space: by their class, or by another of the same name. */
const hitsOf = (
  { learner, stream, learned, spaces, calibration }: Scoring,
  all: readonly (Candidates | undefined)[],
  { position, first }: Candidates,
  images: ImageFeatures,
  score: Score,
): E.Either<Failure, readonly number[]> => {
  const { labels, notes } = images;
  const calibrated = calibration?.of(learner, notes) ?? uncorrected;
  const name = firstOfName(stream.tasks);
  const hits: number[] = [];
  for (const space of spaces) {
    const candidates = labelSpace(stream, position, learned, space).tasks.flatMap((task) => all[stream.tasks.indexOf(task)] ?? []);
    // Where the task of an image is given there is none to predict.
    const correction = candidates.length > 1 ? calibrated : uncorrected;
    let right = 0;
    for (const [i, label] of labels.entries()) {
      const answer = best(i, score, candidates, correction);
      if (answer === undefined) return E.left(notFiniteScore(`A score of an image of ${stream.tasks[position].name}`));
      if (name[answer] === name[first + label]) right++;
    }
    hits.push(right);
  }
  return E.right(hits);
};

/** One column of accuracies a task, a row a label space; null where the learner cannot tell a task's classes apart, or none of its images could be read. */
const accuracyRows = (
  scored: Scoring,
  encode: Encoder,
  scoreOf: ScoreOf,
  runtime: Runtime,
): TE.TaskEither<Failure, readonly (readonly (number | null)[])[]> => {
  const { learner, stream, spaces } = scored;
  const all = candidatesOf(learner, stream);
  return pipe(
    all.map((candidates, j) => ({ candidates, task: stream.tasks[j] })),
    TE.traverseSeqArray(({ candidates, task }): TE.TaskEither<Failure, readonly (number | null)[]> => {
      if (candidates === undefined) return TE.right(spaces.map(() => null));
      return pipe(
        task.test,
        TE.chain((examples) => encode.images(task, examples)),
        TE.chainEitherK((images) =>
          pipe(
            hitsOf(scored, all, candidates, images, scoreOf(images)),
            E.map((hits) => {
              const accuracies = hits.map((n) => (images.count === 0 ? null : (100 * n) / images.count));
              runtime.emit({ type: "evaluation", dataset: task.name, correct: hits[0], total: images.count, accuracy: accuracies[0] });
              return accuracies;
            }),
          ),
        ),
      );
    }),
    TE.map((columns) => spaces.map((_, k) => columns.map((column) => column[k]))),
  );
};

/**
 * Accuracy, percent, on the test split of every task of a stream, for a learner that has learned the first `learned` tasks. Images are scored by the texts of
 * classes where the architecture reads texts, plus what the learner's head says; else by the head alone. Null stands where a head has no row for a task's
 * classes, and where no image of a split could be read. Fails with `NotFinite` where features or scores are not finite, so that damage is never a figure.
 */
export const accuracies =
  (learner: Learner, stream: Stream, learned: number, options: EvaluateOptions & Inference = {}): ((runtime: Runtime) => TE.TaskEither<Failure, Evaluated>) =>
  (runtime) =>
  async () => {
    const { templates = "single", labelSpace: space = stream.labelSpace, also = [], through, calibration } = options;
    const datasets = candidatesOf(learner, stream).filter((task) => task !== undefined).length;
    if (datasets > 0) runtime.emit({ type: "evaluating", datasets });
    const opened = encoder(learner, runtime, through);
    if (E.isLeft(opened)) return opened;
    try {
      return await withShapeFailures(() =>
        pipe(
          scoring(learner, opened.right, stream, templates),
          TE.chain((scoreOf) => accuracyRows({ learner, stream, learned, spaces: [space, ...also], calibration }, opened.right, scoreOf, runtime)),
          TE.map(([row, ...rows]) => ({ row, ...(also.length > 0 ? { also: Object.fromEntries(also.map((name, k) => [name, rows[k]])) } : {}) })),
        ),
      )();
    } finally {
      opened.right.release();
    }
  };

/** Scores the learner's model on the test split of every task of the stream. */
export const evaluate = (options: EvaluateOptions = {}, { through, calibration }: Inference = {}): TaskStage<MaybeMerged, MaybeMerged & Evaluated> => {
  const beside = {
    ...(through === undefined ? {} : { through: { [through.name]: through.options } }),
    ...(calibration === undefined ? {} : { calibration: { [calibration.name]: calibration.options } }),
  };
  return taskStage("evaluate", { ...options, ...beside }, (lesson) => (runtime) => {
    const { learner, stream, learned } = lesson;
    return pipe(
      accuracies(learner, stream, learned, { ...options, through, calibration })(runtime),
      TE.map((evaluated) => ({ ...lesson, ...evaluated })),
    );
  });
};
