/**
 * A task and a stream of tasks: immutable values that can be walked twice.
 *
 * A {@link Task} names its classes, its prompt templates and two splits of examples. A {@link Stream} is a list of tasks with a label space.
 * Nothing here draws random numbers: sampling and augmentation are functions of a seed (`sampling.ts`, `augment.ts`).
 */
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Example, ExampleDecoder } from "./example.ts";

/** A list of examples that is read when it is asked for; pixels are read when an example is decoded. */
export type Split = TaskEither<Failure, readonly Example[]>;

/** What there is to say of a split, a line each: what its reader left out, and how it paired classes with their names. Asking lists the split. */
export type Notes = () => Promise<readonly string[]>;

/** One learning task. Templates hold `{c}` where the class name goes; the first is the single template, all are the ensemble. */
export interface Task {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  readonly train: Split;
  readonly test: Split;
  /** What its reader has to say of either split, where it has something to say. */
  readonly notes?: { readonly train: Notes; readonly test: Notes };
  /** How the images of its examples are decoded. Default: files and archives through the platform, as `exampleDecoder` does. */
  readonly decode?: ExampleDecoder;
}

/**
 * `task`: scored among the task's own classes (MTIL). `union`: among the classes of all tasks (X-TAIL). `seen`: among those of all tasks up to the one
 * learned last (class-incremental learning).
 */
export type LabelSpace = "task" | "union" | "seen";

/** An ordered, immutable sequence of tasks. */
export interface Stream {
  readonly tasks: readonly Task[];
  readonly labelSpace: LabelSpace;
  /** Datasets that are scored after every task, each among its own classes, and never learned: what the model knew before, as a number. Default: none. */
  readonly probes?: readonly Task[];
}
