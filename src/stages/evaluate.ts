/** `evaluate`: one row of the accuracy matrix. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { isAnswerStream, type ClassStream, type ClassTask, type LabelSpace, type Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { readoutFor, readoutOf } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf } from "../model/model.ts";
import type { Evaluated, MaybeMerged } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { adaptable } from "./adaptation.ts";
import { candidatesOf, columnsOf, notFiniteScore, scoredOf, type Column, type Compared } from "./answers.ts";
import { prompts } from "./captions.ts";
import { answerScores } from "./evaluateAnswers.ts";
import { withEncoder, type Encoder } from "./features.ts";
import type { Features, ImageFeatures } from "./imageFeatures.ts";
import type { Inference } from "./inference.ts";
import { ensemble, headScore, textScore, type Score } from "./scores.ts";
import { scoredOnce } from "./scoredBefore.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** `single`: the first template. `ensemble`: the mean of all templates' unit features, normalised again (METHODS.md F). Default `single`. */
  readonly templates?: "single" | "ensemble";
  /** Default: what the stream says. */
  readonly labelSpace?: LabelSpace;
  /** Other label spaces that the same images are scored in. Default: none. */
  readonly also?: readonly LabelSpace[];
  /** Of tasks that are answered in words: their own score alone, or, where questions have choices, by choice and by exact match, too. Default `all`. */
  readonly scores?: "own" | "all";
}

/** Features of the texts of a task's classes. */
const classFeatures = (encode: Encoder, width: number, { templates, classNames }: ClassTask, which: "single" | "ensemble"): TE.TaskEither<Failure, Features> =>
  pipe(
    which === "single" ? templates.slice(0, 1) : templates,
    TE.traverseSeqArray((template) => encode.texts(prompts(template, classNames))),
    TE.map((lists) => (lists.length === 1 ? lists[0] : ensemble(lists, width))),
  );

/** What images are compared with. The texts of a stream's probes stand behind those of its tasks; a head has no say in them. */
export const scoring = (learner: Learner, encode: Encoder, stream: ClassStream, templates: "single" | "ensemble"): TE.TaskEither<Failure, Compared> => {
  const { model, head } = learner;
  const { width } = networkOf(model);
  const readout = readoutOf(model.architecture);
  const byHead = (images: ImageFeatures): Score | undefined => (head === undefined ? undefined : headScore(head, images, width));
  if (readout.texts === undefined) return TE.right({ scoreOf: (images) => byHead(images) ?? (() => 0) });
  const scale = readout.scale?.(model.weights) ?? 1;
  if (!Number.isFinite(Math.fround(scale))) return TE.left(notFiniteScore("The scale of the logits"));
  const classesOfTasks = stream.tasks.reduce((n, { classNames }) => n + classNames.length, 0);
  return pipe(
    scoredOf(stream),
    TE.traverseSeqArray((task) => classFeatures(encode, width, task, templates)),
    TE.map((classes): Compared => {
      const texts = Float32Array.from(classes.flatMap(({ data }) => [...data]));
      const scoreOf: Compared["scoreOf"] = (images) => {
        const [byText, added] = [textScore(scale, images, texts, width), byHead(images)];
        return added === undefined ? byText : (i, c) => byText(i, c) + (c < classesOfTasks ? added(i, c) : 0);
      };
      return { scoreOf, texts: { count: texts.length / width, data: texts } };
    }),
  );
};

/** The columns of a stream as a row of each label space, its answers, and its probes. */
const evaluatedOf = ({ tasks, probes }: ClassStream, also: readonly LabelSpace[], columns: readonly Column[]): Evaluated => {
  const [ofTasks, ofProbes] = [columns.slice(0, tasks.length), columns.slice(tasks.length)];
  const row = (space: number): Evaluated["row"] => ofTasks.map(({ accuracies: column }) => column[space]);
  return {
    row: row(0),
    ...(also.length > 0 ? { also: Object.fromEntries(also.map((name, k) => [name, row(k + 1)])) } : {}),
    ...(probes === undefined ? {} : { probes: ofProbes.map(({ accuracies: [accuracy], images }) => ({ accuracy, images })) }),
    answers: ofTasks.map(({ answers }) => answers),
  };
};

/**
 * Accuracy, percent, on the test split of every task of a stream, for a learner that has learned the first `learned` tasks; and on that of every probe, always
 * among its own classes. Images are scored by the texts of classes where the architecture reads texts, plus what the learner's head says; else by the head
 * alone, which has no row for a probe. Null stands where a head has no row for the classes, and where no image of a split could be read. Fails with
 * `NotFinite` where features or scores are not finite, so that damage is never a figure.
 */
export const accuracies =
  (
    learner: Learner,
    stream: ClassStream,
    learned: number,
    options: EvaluateOptions & Inference = {},
  ): ((runtime: Runtime) => TE.TaskEither<Failure, Evaluated>) =>
  (runtime) =>
  async () => {
    const { templates = "single", labelSpace: space = stream.labelSpace, also = [], through, calibration, adaptation } = options;
    const readout = readoutFor(learner.model.architecture);
    if (E.isLeft(readout)) return readout;
    const datasets = candidatesOf(learner, stream).filter((task) => task !== undefined).length;
    if (datasets > 0) runtime.emit({ type: "evaluating", datasets });
    return withEncoder(
      learner,
      runtime,
      through,
      adaptation,
    )((encode) =>
      pipe(
        scoring(learner, encode, stream, templates),
        TE.chain((compared) => columnsOf({ learner, stream, learned, spaces: [space, ...also], calibration }, encode, compared, runtime)),
        TE.map((columns) => evaluatedOf(stream, also, columns)),
      ),
    )();
  };

/**
 * One row of the matrix of any stream: {@link accuracies} of tasks that are classified, the scores of tasks that are answered in words. Fails with `BadOption`
 * where a model does not do what the tasks ask for.
 */
export const evaluated =
  (learner: Learner, stream: Stream, learned: number, options: EvaluateOptions & Inference = {}): ((runtime: Runtime) => TE.TaskEither<Failure, Evaluated>) =>
  (runtime) => {
    if (!isAnswerStream(stream)) return accuracies(learner, stream, learned, options)(runtime);
    const { adaptation } = options;
    if (adaptation === undefined) return answerScores(learner, stream, options)(runtime);
    return TE.left({
      _tag: "BadOption",
      option: "method",
      detail: `${adaptation.name} adapts to pictures among classes, and these tasks are answered in words`,
    });
  };

/**
 * Scores the learner's model on the test split of every task and probe of the stream. A learner that a lesson has left as it was is not scored again: its
 * row is the one before, unless that grows with the tasks that are learned, as among the classes `seen`.
 */
export const evaluate = (options: EvaluateOptions = {}, inference: Inference = {}): TaskStage<MaybeMerged, MaybeMerged & Evaluated> => {
  const { through, calibration, adaptation } = inference;
  const beside = {
    ...(through === undefined ? {} : { through: { [through.name]: through.options } }),
    ...(calibration === undefined ? {} : { calibration: { [calibration.name]: calibration.options } }),
    ...(adaptation === undefined ? {} : { adaptation: { [adaptation.name]: adaptation.options } }),
  };
  const how = { ...options, ...inference };
  const stage = taskStage("evaluate", { ...options, ...beside }, (lesson: MaybeMerged) => (runtime) => {
    const { learner, stream, learned } = lesson;
    return pipe(
      scoredOnce(lesson, how, evaluated(learner, stream, learned, how))(runtime),
      TE.map((scored) => ({ ...lesson, ...scored.evaluated, scored })),
    );
  });
  return { ...stage, inference, ...(adaptation === undefined ? {} : { suits: (learner) => adaptable(learner, adaptation) }) };
};
