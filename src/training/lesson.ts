/** What flows at the scale of a task: a learner, the task that it meets, and what stages add on the way. */
import type { LabelSpace, Stream, Task } from "../data/task.ts";
import type { Adapter, GroupValues } from "../model/adapters/adapter.ts";
import type { Update } from "../model/adapters/update.ts";
import type { Directions } from "../model/adapters/lowRank.ts";
import type { Learner } from "../model/learner.ts";
import type { Reply } from "../report/replies.ts";
import type { Told } from "./told.ts";
import type { TrainingBatches } from "./trainee.ts";

/** A learner that meets a task of a stream. */
export interface Lesson {
  readonly learner: Learner;
  readonly task: Task;
  readonly position: number;
  readonly stream: Stream;
  /** How many tasks of the stream are learned when this lesson ends: more than `position + 1` where its task holds several. */
  readonly learned: number;
  /** The row that was measured last, in this lesson or in the one before. */
  readonly scored?: Scored;
}

/** Given by `encode`: batches that a device can take. */
export interface WithBatches {
  readonly batches: TrainingBatches;
}

/** Given by projections that choose what adapters may act on: the A of every layer. */
export interface WithDirections {
  readonly directions: Directions;
}

/** An adapter with its trained values. One that has more groups than `G` names will do wherever `G` is asked for. */
export interface Attached<G extends string> {
  readonly adapter: Adapter<any, any>;
  readonly values: GroupValues<G>;
}

/** Given by `adapt`: trained adapters that are not merged yet. */
export interface WithAdapters<G extends string> {
  readonly adapters: Attached<G>;
}

/** How a task was learned, in numbers. */
export interface Trained {
  readonly trainableParameters: number;
  /** Effective rank by layer, where that has a meaning. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** Given by `merge`: the adapters are part of the weights, with the largest difference that the merge made to a feature, and what the lesson added to them. */
export interface Merged {
  readonly trained: Trained;
  readonly update: Update;
  readonly mergeError: number;
}

/** A lesson that may have been merged: what `evaluate` takes. Adapters that are not merged yet would be lost behind it. */
export type MaybeMerged = Lesson & Partial<Merged> & { readonly adapters?: undefined };

/**
 * The answers to the images of a task that were scored, in the run's own label space. Labels and answers count over the classes of all tasks of the stream, in
 * their order: an answer can be a class of another task.
 */
export interface Answers {
  readonly ids: readonly string[];
  readonly labels: readonly number[];
  readonly answers: readonly number[];
}

/**
 * A probe after a lesson: its accuracy, or its score, in percent, of so many images or questions; null where the learner cannot tell its classes apart, or none
 * of them could be read.
 */
export interface Probed {
  readonly accuracy: number | null;
  readonly images: number;
  /** Of its answers, where it is answered in words. */
  readonly perplexity?: number;
  /** Percent of right guesses among the choices of its questions, where they have some. */
  readonly chance?: number;
}

/**
 * Given by `evaluate`: one row of the accuracy matrix, percent by task of the stream; null where the learner knows no class of a task, or where nothing of it
 * could be read. Of tasks that are answered in words it has the score of each.
 */
export interface Evaluated {
  readonly row: readonly (number | null)[];
  /** The same images scored in other label spaces, where that was asked for. */
  readonly also?: Readonly<Partial<Record<LabelSpace, readonly (number | null)[]>>>;
  /** By probe of the stream, where it has some. */
  readonly probes?: readonly Probed[];
  /** By task of the stream; null where the row has no accuracy, and where they are not kept any more. */
  readonly answers?: readonly (Answers | null)[];
  /** What the same questions score in other ways, by the name of the score and by task of the stream; null where a task is not scored so. */
  readonly scores?: Readonly<Record<string, readonly (number | null)[]>>;
  /** Percent of right guesses among the choices of the same questions, by task of the stream; null where they have none. */
  readonly chance?: readonly (number | null)[];
  /** What questions were answered with, by task of the stream; null where nothing could be asked, and where they are not kept any more. */
  readonly replies?: readonly (readonly Reply[] | null)[];
}

/** A row of the accuracy matrix, and what it was measured of. */
export interface Scored {
  readonly lesson: Pick<Lesson, "learner" | "stream" | "learned">;
  /** The options that it was measured with: the very object. */
  readonly by: object;
  readonly evaluated: Evaluated;
  /** What was told of it. */
  readonly told: readonly Told[];
}

/** What was reached after a lesson. */
export interface Report extends Evaluated {
  readonly task: string;
  readonly trained?: Trained;
  readonly mergeError?: number;
  /** Bytes that the learner keeps for the next task beside its weights. */
  readonly bytesKept: number;
  /** Examples that it keeps for replay, where there are some: references to the data of past tasks. */
  readonly examplesKept?: number;
}

/** What was measured, without the answers but for those of the task at a position, if there is one. */
export const withAnswersOf = <A extends Evaluated>(evaluated: A, own?: number): A => {
  const kept = <T>(all: readonly (T | null)[] | undefined): readonly (T | null)[] | undefined =>
    own === undefined ? undefined : all?.map((answers, position) => (position === own ? answers : null));
  const { answers, replies } = evaluated;
  return { ...evaluated, answers: kept(answers), ...(replies === undefined ? {} : { replies: kept(replies) }) };
};

/** What was measured before anything was learned, without the answers of images. What was replied then is compared with what is replied at the end. */
export const withoutAnswers = <A extends Evaluated>(evaluated: A): A => ({ ...evaluated, answers: undefined });

/** Reports of lessons from the task at position `from` on, and one more: of those before it the answers of their own tasks are kept, and no others. */
export const reported = (reports: readonly Report[], report: Report, from = 0): readonly Report[] => [
  ...reports.slice(0, -1),
  ...reports.slice(-1).map((before) => withAnswersOf(before, from + reports.length - 1)),
  report,
];
