/** A model on test pictures, without any training. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { sharedNames } from "../data/classNames.ts";
import { labelSpace } from "../data/labelSpace.ts";
import type { CheckedProtocol } from "../data/checked.ts";
import { checkScoring } from "../data/stream.ts";
import type { Device } from "../device/device.ts";
import type { DeviceOptions } from "../device/open.ts";
import { lineOf } from "../device/precision.ts";
import { imageCache } from "../data/imageCache.ts";
import type { OnCorrupt } from "../data/source.ts";
import { isAnswerStream, type AnswerStream, type LabelSpace, type ClassStream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { writeText } from "../formats/files.ts";
import type { Learner } from "../model/learner.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { describeStream } from "../report/describeStream.ts";
import { meansOf, type Evaluation } from "../report/evaluation.ts";
import { accuracies } from "../stages/evaluate.ts";
import { answerScores } from "../stages/evaluateAnswers.ts";
import { fittedTo, knowsAll, placesOfTasks, type Place } from "../stages/fitted.ts";
import { answerable, type Predictor } from "../stages/inference.ts";
import type { Evaluated } from "../training/lesson.ts";
import type { Event, Runtime } from "../training/runtime.ts";
import { guessing } from "../runs/assemble.ts";
import { onDeviceOf, predictorOf } from "./predict.ts";
import { predicting } from "../runs/predictions.ts";
import type { Job } from "../runs/job.ts";
import type { LocateOptions } from "../runs/locate.ts";
import { titlesOf } from "../runs/folders.ts";
import { findSource } from "../runs/placed.ts";
import type { JobOptions } from "../runs/runJob.ts";
import { predictedLines } from "../runs/predictions.ts";
import { streamOf } from "../runs/source.ts";

/** What a model is scored on, and how. */
export interface EvaluateWhat {
  /** Datasets by their folders or their names on the hub; or those of a protocol. Of class folders without train and test all pictures are scored. */
  readonly source: Job["source"];
  /** The columns of Parquet files, where names and types do not tell. */
  readonly columns?: Job["columns"];
  /** What pictures are scored among: the classes of their dataset (`task`), or of all (`union`); the first first. Default: what a protocol says, or `task`. */
  readonly labelSpaces?: readonly LabelSpace[];
  /** Default `single`. */
  readonly templates?: "single" | "ensemble";
  /** Test images a dataset. Default: all. */
  readonly evalLimit?: number;
  /** How questions are asked, and the most tokens of one with its answer. Default: as the run of the learner asked, else as their datasets say. */
  readonly chat?: string;
  readonly context?: number;
  /** The most tokens of an answer that is generated. Default: as their datasets say. */
  readonly maxTokens?: number;
  /** Of questions: the own score of a dataset alone, or all. Default `all`. */
  readonly scores?: "own" | "all";
  /** Default `fail`. */
  readonly onCorrupt?: OnCorrupt;
  /** A file for what each picture was taken for, a line a picture. Default: none. */
  readonly predictions?: string;
}

/** Options of {@link evaluateModel}: those of a job, and a device that is open already, which stays open. */
export interface EvaluateModelOptions extends Omit<JobOptions, "device"> {
  readonly device?: Device | DeviceOptions;
}

/** The datasets with what there is to say of them. */
const datasetsOf = (what: EvaluateWhat, options: LocateOptions, files: Files): TE.TaskEither<Failure, CheckedProtocol> => {
  const { source, labelSpaces, onCorrupt = "fail", ...how } = what;
  return pipe(
    findSource(source, { ...options, training: false }),
    TE.chain(({ placed, located }) => {
      const whole = "folders" in placed ? { split: "test" as const, ...placed } : placed;
      return streamOf({ ...how, source: whole, labelSpace: labelSpaces?.[0], onCorrupt, seed: 0, titles: titlesOf(located) }, false, files);
    }),
    TE.chainFirstEitherK(({ stream }) => checkScoring(stream, { labelSpaces: labelSpaces ?? [], templates: what.templates })),
  );
};

/** The places of all classes among those that a learner has seen. Fails where it cannot tell the classes of a dataset apart. */
const placesIn = ({ learner }: Predictor, { tasks }: ClassStream): E.Either<Failure, readonly (readonly Place[])[]> => {
  const places = placesOfTasks(learner.seen, tasks);
  return pipe(
    tasks.map(({ name, classNames }, j) => knowsAll(learner, classNames, places[j], name)),
    E.sequenceArray,
    E.map(() => places),
  );
};

/** What was measured, as it is told. */
const evaluationOf = (
  { tasks }: ClassStream,
  { row, also, answers }: Evaluated,
  labelSpaces: readonly LabelSpace[],
  facts: Pick<Evaluation, "templates" | "adapter" | "skipped">,
): Evaluation => {
  const stream: ClassStream = { tasks, labelSpace: labelSpaces[0] };
  const bySpace = <A>(of: (space: LabelSpace) => A) => Object.fromEntries(labelSpaces.map((space) => [space, of(space)]));
  const datasets = tasks.map(({ name, classNames }, j) => ({
    dataset: name,
    accuracy: bySpace((space) => (space === labelSpaces[0] ? row : also?.[space])?.[j] ?? null),
    chance: bySpace((space) => guessing(labelSpace(stream, j, tasks.length, space).tasks)),
    classes: classNames.length,
    images: answers?.[j]?.ids.length ?? 0,
  }));
  return { labelSpaces, datasets, mean: meansOf(datasets, labelSpaces), ...facts };
};

/** The distinct ids of samples that events tell of as left out. */
const skippedIn = (watch: (event: Event) => void) => {
  const skipped = new Set<string>();
  const event = (event: Event): void => {
    if (event.type === "skipped") skipped.add(event.id);
    watch(event);
  };
  return { event, count: () => skipped.size };
};

/** The predictions that events tell of, as the lines of a file. */
const toldLines = () => {
  const lines: string[] = [];
  const event = (event: Event): void => {
    lines.push(...predictedLines(event));
  };
  return { event, text: () => lines.join("") };
};

/** How a stream is scored: what is said before, and what measures it on a device. */
interface Measuring {
  readonly notes: readonly (string | undefined)[];
  readonly measure: (runtime: Runtime, skipped: () => number) => TE.TaskEither<Failure, Evaluation>;
}

/** Pictures are told apart among classes. */
const amongClasses = (predictor: Predictor, stream: ClassStream, { templates = "single", labelSpaces }: EvaluateWhat): E.Either<Failure, Measuring> =>
  pipe(
    placesIn(predictor, stream),
    E.map((places): Measuring => {
      // Nothing is learned here: what was seen is all.
      const [space = stream.labelSpace === "task" ? "task" : "union", ...also] = labelSpaces ?? [];
      const fitted = fittedTo(predictor, places);
      return {
        notes: [sharedNames(stream, [space, ...also])],
        measure: (runtime, skipped) =>
          pipe(
            accuracies(fitted.learner, stream, stream.tasks.length, { templates, labelSpace: space, also, ...fitted.inference })(runtime),
            TE.map((found) => evaluationOf(stream, found, [space, ...also], { templates, adapter: lineOf(runtime.device), skipped: skipped() })),
          ),
      };
    }),
  );

/** Questions are answered in words. */
const inWords = ({ learner, inference }: Predictor, stream: AnswerStream, { scores }: EvaluateWhat): Measuring => ({
  notes: [],
  measure: (runtime, skipped) =>
    pipe(
      answerScores(learner, stream, { scores, ...inference })(runtime),
      TE.map((found): Evaluation => {
        const datasets = stream.tasks.map(({ name, score }, j) => {
          const others = Object.entries(found.scores ?? {}).filter(([other, row]) => other !== score && row[j] !== null);
          const all = { [score]: found.row[j], ...Object.fromEntries(others.map(([other, row]) => [other, row[j]])) };
          return { dataset: name, accuracy: {}, chance: {}, classes: 0, images: found.replies?.[j]?.length ?? 0, scores: all };
        });
        return { labelSpaces: [], datasets, mean: {}, templates: "single", adapter: lineOf(runtime.device), skipped: skipped() };
      }),
    ),
});

/**
 * Scores a learner on the test splits of datasets, and trains nothing. What `openLearner` gave of a run is scored as its method evaluates it; a learner's head
 * counts for the classes that it has learned; questions are answered in words. Fails as data does, as a device does, and with `BadOption` where the learner
 * cannot tell the classes of a dataset apart.
 *
 * ```ts
 * const opened = await openLearner(`${folder}/clip`)();
 * if (opened._tag === "Right") {
 *   const evaluated = await evaluateModel(opened.right, { source: { folders: ["data/pets", "data/cars"] } })();
 *   if (evaluated._tag === "Right") console.log(report.evaluationTable(evaluated.right));
 * }
 * assert.equal(opened._tag, "Left"); // There is no such model.
 * ```
 */
export const evaluateModel = (learner: Learner | Predictor, what: EvaluateWhat, options: EvaluateModelOptions = {}): TE.TaskEither<Failure, Evaluation> => {
  const { files = platform.files, note = () => undefined, watch = () => undefined } = options;
  const predictor = predictorOf(learner);
  const { onCorrupt, predictions, chat = predictor.asking?.chat, context = predictor.asking?.context } = what;
  return pipe(
    TE.fromEither(answerable(predictor)),
    TE.chain(() => datasetsOf({ ...what, chat, context }, options, files)),
    TE.bind("measuring", ({ stream }) =>
      TE.fromEither(isAnswerStream(stream) ? E.right(inWords(predictor, stream, what)) : amongClasses(predictor, stream, what)),
    ),
    TE.bind("table", ({ stream }) => describeStream(stream, { training: false })),
    TE.chain(({ stream, notes, measuring, table }) => {
      const told = toldLines();
      for (const line of [table, ...notes, ...measuring.notes]) if (line !== undefined) note(line);
      const { event, count } = skippedIn(watch);
      return pipe(
        onDeviceOf(
          { ...options, onCorrupt, watch: event },
          (runtime) => measuring.measure(predictions === undefined ? runtime : predicting(runtime, told), count),
          // The pictures of questions are looked at for each way in which these are scored; others once.
          imageCache(isAnswerStream(stream) ? 1024 : 0),
        ),
        TE.chainFirst(() => (predictions === undefined ? TE.right(undefined) : writeText(predictions, told.text(), files))),
      );
    }),
  );
};
