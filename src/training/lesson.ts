/** What flows at the scale of a task: a learner, which is plain data, and the task it meets. */
import type { Adapter, GroupValues, Head } from "../model/adapters/adapter.ts";
import type { Model } from "../model/model.ts";
import type { LabelSpace, Stream, Task } from "../data/task.ts";
import type { Directions } from "../model/adapters/lora.ts";
import type { TrainingBatches } from "./trainee.ts";

/** A model, and what its methods remember between tasks, by the name of the stage that remembers. */
export interface Learner {
  readonly model: Model;
  /** Rows for the classes learned so far, in the order of `seen`, where a method trains a head. */
  readonly head?: Head;
  /** Classes learned so far, in order. */
  readonly seen: readonly string[];
  readonly memory: Readonly<Record<string, unknown>>;
}

/** A learner that meets a task of a stream. */
export interface Lesson {
  readonly learner: Learner;
  readonly task: Task;
  readonly position: number;
  readonly stream: Stream;
}

/** Given by `encode`: batches that a device can take. */
export interface WithBatches {
  readonly batches: TrainingBatches;
}

/** Given by projections that choose what adapters may act on: the A of every module. */
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
  /** Effective rank by module, where that has a meaning. */
  readonly ranks: ReadonlyMap<string, number>;
}

/** Given by `merge`: the adapters are part of the weights, with the largest difference that the merge made to a feature. */
export interface Merged {
  readonly trained: Trained;
  readonly mergeError: number;
}

/** A lesson that may have been merged: what `evaluate` takes. Adapters that are not merged yet would be lost behind it. */
export type MaybeMerged = Lesson & Partial<Merged> & { readonly adapters?: undefined };

/** Given by `evaluate`: one row of the accuracy matrix, percent by task of the stream; null where the learner knows no class of a task. */
export interface Evaluated {
  readonly row: readonly (number | null)[];
  /** The same images scored in other label spaces, where that was asked for. */
  readonly also?: Readonly<Partial<Record<LabelSpace, readonly (number | null)[]>>>;
}

/** What was reached after a lesson. */
export interface Report extends Evaluated {
  readonly task: string;
  readonly trained?: Trained;
  readonly mergeError?: number;
  /** Bytes that the learner keeps for the next task beside its weights. */
  readonly bytesKept: number;
}

/** A learner before its first task. */
export const learner = (model: Model): Learner => ({ model, seen: [], memory: {} });

/**
 * The tasks among whose classes the images of the task at `position` are scored after `learned` tasks, and the index of its own first class among
 * them.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const task = (name: string, classNames: readonly string[]) => ({ name, classNames, templates: ["a {c}."], train: none, test: none });
 * const stream = { tasks: [task("pets", ["cat", "dog"]), task("cars", ["van"])], labelSpace: "union" as const };
 * assert.equal(labelSpace(stream, 1, 2).offset, 2);
 * assert.deepEqual(labelSpace(stream, 1, 2, "task"), { tasks: [stream.tasks[1]], offset: 0 });
 * assert.deepEqual(labelSpace(stream, 0, 1, "seen"), { tasks: [stream.tasks[0]], offset: 0 });
 * ```
 */
export const labelSpace = (
  stream: Stream,
  position: number,
  learned: number,
  space: LabelSpace = stream.labelSpace,
): { readonly tasks: readonly Task[]; readonly offset: number } => {
  if (space === "task") return { tasks: [stream.tasks[position]], offset: 0 };
  const tasks = space === "seen" ? stream.tasks.slice(0, Math.max(learned, position + 1)) : stream.tasks;
  return { tasks, offset: stream.tasks.slice(0, position).reduce((n, t) => n + t.classNames.length, 0) };
};
