/**
 * A task and a stream of tasks: immutable values that can be walked twice.
 *
 * A {@link Task} names its classes, its prompt templates and two splits of samples; a sample is an image that is decoded only
 * when somebody asks. A {@link Stream} is a list of tasks with a label space. Nothing here draws random numbers: sampling and
 * augmentation are functions of a seed (`sampling.ts`, `augment.ts`).
 */
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";

/** An RGB image, 8 bits a channel, row-major, interleaved: `data.length === height * width * 3`. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** One labelled image; `decode` reads and decodes it, every call anew. `id` names file and member for messages. */
export interface Sample {
  readonly id: string;
  /** Index into the task's `classNames`. */
  readonly label: number;
  readonly decode: TaskEither<Failure, Image>;
}

/** A set of samples that is opened lazily: the list is read when asked for, the pixels when a sample is decoded. */
export type Split = TaskEither<Failure, readonly Sample[]>;

/** One learning task. Templates hold `{c}` where the class name goes; the first is the single template, all are the ensemble. */
export interface Task {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  readonly train: Split;
  readonly test: Split;
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
}
