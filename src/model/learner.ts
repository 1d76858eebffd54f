/** A learner: a model, and what its methods remember between tasks. It is plain data. */
import type { Head } from "./adapters/adapter.ts";
import type { Model } from "./model.ts";

/** A model, and what its methods remember between tasks, by the name of the stage that remembers. `Out` are the outputs of the model's architecture. */
export interface Learner<Out = any> {
  readonly model: Model<Out>;
  /** Rows for the classes learned so far, in the order of `seen`, where a method trains a head. */
  readonly head?: Head;
  /** Classes learned so far, in order. */
  readonly seen: readonly string[];
  readonly memory: Readonly<Record<string, unknown>>;
}

/** A learner before its first task. */
export const learner = <Out>(model: Model<Out>): Learner<Out> => ({ model, seen: [], memory: {} });
