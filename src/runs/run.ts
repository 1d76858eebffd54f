/** A whole run: a method over a stream, from the zero-shot row to the numbers that a report shows. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { sharedNames } from "../data/classNames.ts";
import { printable } from "../data/leftOut.ts";
import { isAnswerStream, type LabelSpace, type Stream } from "../data/task.ts";
import { lineOf } from "../device/precision.ts";
import type { Failure } from "../failure.ts";
import type { Update } from "../model/adapters/update.ts";
import type { Learner } from "../model/learner.ts";
import type { LogRecord } from "../report/log.ts";
import type { RunResult } from "../report/result.ts";
import type { DatasetAnswers } from "../report/runReport.ts";
import { evaluated, type EvaluateOptions } from "../stages/evaluate.ts";
import { course, methodFor, type Method } from "../stages/learn.ts";
import type { Keeper, Training } from "../training/keeper.ts";
import { reported, withoutAnswers, type Evaluated, type Report } from "../training/lesson.ts";
import { dividable } from "../training/parts.ts";
import type { OutputsFor } from "../training/objective.ts";
import type { Event, Runtime } from "../training/runtime.ts";
import type { DatasetReplies } from "../report/replies.ts";
import { answersOf, repliesOf } from "./answers.ts";
import { assemble } from "./assemble.ts";
import { sameClasses } from "./classesKept.ts";
import { logEvents } from "./log.ts";
import { plainOptions, unchanged, type PlainOptions } from "./optionsKept.ts";

/** What a run has reached between two lessons. */
export interface Progress {
  readonly zeroShot: Evaluated;
  readonly reports: readonly Report[];
  readonly seconds: number;
  /** The options of its method; undefined where an older version wrote this. */
  readonly methodOptions?: PlainOptions;
}

/** A training within a lesson: the number of the training, and its state. */
export interface KeptTraining {
  readonly nth: number;
  readonly training: Training<string>;
}

/** What is kept of a run while it goes on. */
export interface Keep {
  /** Awaited at the end of every lesson, with the run as if it had been stopped there, and with what the lesson has added to the weights. */
  readonly lesson: (run: Run, update?: Update) => TE.TaskEither<Failure, void>;
  /** Called where a training is stopped on request, at its end, and every so many of its steps where that is said. Default: never. */
  readonly training?: { readonly every?: number; readonly save: (kept: KeptTraining, progress: Progress) => TE.TaskEither<Failure, void> };
}

/** Where a run goes on. */
export interface From extends Partial<Progress> {
  readonly training?: KeptTraining;
  /** Whether all of its tasks are finished: its options are then those that it was begun with, whatever they would be now. */
  readonly ended?: boolean;
}

/** Options of {@link runMethod}. */
export interface RunOptions {
  /** How the zero-shot row is measured; give the method's own stages the same. */
  readonly evaluate?: EvaluateOptions;
  /** What is known already: the zero-shot rows, and of a run that goes on the reports of the lessons behind its learner and their time. Default: nothing. */
  readonly from?: From;
  /** The learner of the zero-shot row. Default: the one that begins. */
  readonly untrained?: Learner;
  /** Facts beside the method's options that belong into the result's `options`, such as the model and the shots. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Called with every record of the run's log, as it comes. */
  readonly log?: (record: LogRecord) => void;
  /** Keeps what is reached. Default: nothing is kept before the end. */
  readonly keep?: Keep;
}

/** What a run gave. */
export interface Run {
  readonly result: RunResult;
  /** The answers to the test images of each dataset of the result. */
  readonly answers: readonly DatasetAnswers[];
  /** What its test questions were answered with, where tasks are answered in words. */
  readonly replies?: readonly DatasetReplies[];
  /** The learner after its last finished task. */
  readonly learner: Learner;
  /** How far it is: what {@link RunOptions.from} takes to go on. */
  readonly progress: Progress;
  /** Whether the run was stopped on the way: its result is then that of the finished tasks, on their own datasets. */
  readonly interrupted: boolean;
}

/** A learner whose architecture gives what a method needs; any learner where either is not known while the program is written. */
export type Suited<N extends string> = string extends N ? Learner : Learner<OutputsFor<N>>;

/** What the runtime asks to keep things, once the zero-shot row is known: `reached` says how far the run is. */
const keeperOf = ({ keep, from }: RunOptions, reached: () => Progress, run: (learner: Learner) => E.Either<Failure, Run>): Keeper | undefined => {
  if (keep === undefined && from?.training === undefined) return undefined;
  let trainings = 0;
  let resumed = from?.training;
  return {
    lesson: (learner, _, update) => {
      [trainings, resumed] = [0, undefined];
      if (keep === undefined) return TE.right(undefined);
      return pipe(
        TE.fromEither(run(learner)),
        TE.chain((reached) => keep.lesson(reached, update)),
      );
    },
    training: () => {
      const nth = trainings++;
      const { every, save } = keep?.training ?? {};
      return {
        ...(resumed?.nth === nth ? { from: resumed.training } : {}),
        ...(save === undefined ? {} : { checkpoint: { every, save: (training) => save({ nth, training }, reached()) } }),
      };
    },
  };
};

/** What is to be said where the probes of a stream cannot be scored. */
const unscored = ({ probes = [] }: Stream, { model: { architecture } }: Learner): string | undefined => {
  if (probes.length === 0 || architecture.readout?.texts !== undefined) return undefined;
  const names = probes.map(({ name }) => printable(name)).join(", ");
  return `${names} cannot be scored: a ${architecture.name} reads no texts, and its head knows the classes of tasks alone`;
};

/** What is to be said where a method distils on reference pictures and has none, or has some and does not. */
const onReference = ({ reference: given }: Stream, { name, reference = false }: Pick<Method, "name" | "reference">): string | undefined => {
  if (reference === (given !== undefined)) return undefined;
  return given === undefined
    ? `${name} distils on reference pictures and was given none: the task's own pictures take their place`
    : `${name} distils on no reference pictures: those of ${printable(given.name)} have no meaning for it`;
};

/** What is to be said of a stream before it is learned. */
const notesOn = (stream: Stream, start: Learner, spaces: readonly LabelSpace[], method: Pick<Method, "name" | "reference">): readonly string[] => [
  ...[onReference(stream, method)].filter((detail) => detail !== undefined),
  ...(isAnswerStream(stream) ? [] : [sharedNames(stream, spaces), unscored(stream, start)].filter((detail) => detail !== undefined)),
];

/** A method as it is for a stream, where it suits the model, goes on as it was begun and computes a batch in as many parts as are asked for. */
const goingOn = <N extends string>(
  declared: Method<N>,
  start: Learner,
  stream: Stream,
  { from }: RunOptions,
  { accumulate }: Runtime,
): E.Either<Failure, Method<N>> =>
  pipe(
    methodFor(declared, stream),
    E.chain(unchanged(from?.ended === true ? undefined : from?.methodOptions)),
    E.chainFirst(() => sameClasses(start, stream, from?.reports ?? [])),
    E.chainFirst(({ undivided }) => dividable(accumulate, undivided)),
    E.chainFirst(({ suits }) => suits?.(start, stream) ?? E.right(undefined)),
  );

/**
 * Measures the zero-shot row, runs the method, and computes every metric. A run that the runtime's signal stops keeps the tasks that were
 * finished; it fails with `Interrupted` where none was, and with what its stages fail with.
 */
export const runMethod =
  <N extends string>(declared: Method<N>, start: NoInfer<Suited<N>>, stream: Stream, options: RunOptions = {}) =>
  (runtime: Runtime): TE.TaskEither<Failure, Run> =>
  async () => {
    const began = performance.now();
    const { from = {}, untrained = start } = options;
    const suited = goingOn(declared, start, stream, options, runtime);
    if (E.isLeft(suited)) return suited;
    const method = suited.right;
    const then = from.ended === true ? from.methodOptions : undefined;
    const log = logEvents(method.name, runtime.seed, options.log ?? (() => undefined));
    let reports: readonly Report[] = from.reports ?? [];
    let learner: Learner = start;
    const noted = new Set<string>();
    const emit = (event: Event): void => {
      // A task that is encoded several times says the same of its data each time.
      if (event.type === "note" && noted.has(event.detail)) return;
      if (event.type === "note") noted.add(event.detail);
      runtime.emit(event);
      log(event);
      if (event.type !== "lesson") return;
      reports = reported(reports, event.report);
      learner = event.learner;
    };
    const watched: Runtime = { ...runtime, emit };
    const { labelSpace = stream.labelSpace, also = [] } = options.evaluate ?? {};
    const readsTexts = start.model.architecture.readout?.texts !== undefined;
    for (const detail of notesOn(stream, start, [labelSpace, ...also], method)) emit({ type: "note", detail });
    const zeroShot = from.zeroShot === undefined ? await evaluated(untrained, stream, 0, options.evaluate)(watched)() : E.right(from.zeroShot);
    if (E.isLeft(zeroShot)) return zeroShot;
    const reached = (): Progress => ({
      // The newest answers are those of a report, as soon as there is one.
      zeroShot: reports.length > 0 ? withoutAnswers(zeroShot.right) : zeroShot.right,
      reports,
      seconds: (from.seconds ?? 0) + (performance.now() - began) / 1000,
      methodOptions: then ?? plainOptions(method),
    });
    /** The run with so many lessons; one that was stopped where it is not known how many there were to be. */
    const ended = (lessons?: number, last = learner): E.Either<Failure, Run> => {
      const progress = reached();
      return pipe(
        assemble({
          method: method.name,
          title: method.title,
          options: { ...(then ?? (method.options as object)), ...options.facts },
          seed: runtime.seed,
          adapter: lineOf(runtime.device),
          stream,
          labelSpace,
          readsTexts,
          ...progress,
          lessons,
        }),
        E.map((result) => ({
          result,
          answers: answersOf(stream, progress, lessons),
          ...(isAnswerStream(stream) ? { replies: repliesOf(stream, progress, lessons) } : {}),
          learner: last,
          progress,
          interrupted: lessons === undefined,
        })),
      );
    };
    const keep = keeperOf(options, reached, (last) => ended(undefined, last));
    const learned = await method.run(course(start, stream, { from: from.reports?.length }))({ ...watched, keep })();
    if (E.isRight(learned)) return ended(learned.right.curriculum.length);
    return learned.left._tag === "Interrupted" && reports.length > (from.reports?.length ?? 0) ? ended() : learned;
  };
