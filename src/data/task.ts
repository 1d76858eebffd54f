/**
 * A task and a stream of tasks: immutable values that can be walked twice.
 *
 * A {@link ClassTask} names its classes, its prompt templates and two splits of examples; an {@link AnswerTask} has two splits of questions. A {@link Stream}
 * is a list of tasks, all of one kind, with a label space.
 * Nothing here draws random numbers: sampling and augmentation are functions of a seed (`sampling.ts`, `augment.ts`).
 */
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { ScoreName } from "../scores/table.ts";
import type { Example, ExampleDecoder } from "./example.ts";
import type { Question } from "./question.ts";

/** A list of examples that is read when it is asked for; pixels are read when an example is decoded. */
export type Split<E = Example> = TaskEither<Failure, readonly E[]>;

/** What there is to say of a split, a line each: what its reader left out, and how it paired classes with their names. Asking lists the split. */
export type Notes = () => Promise<readonly string[]>;

/** What tasks of every kind have: a name, and two splits of examples. */
interface TaskOf<E> {
  readonly name: string;
  readonly train: Split<E>;
  readonly test: Split<E>;
  /** What its reader has to say of either split, where it has something to say. */
  readonly notes?: { readonly train: Notes; readonly test: Notes };
  /** How the images of its examples are decoded. Default: files and archives through the platform, as `exampleDecoder` does. */
  readonly decode?: ExampleDecoder;
}

/** A task that is classified. Templates hold `{c}` where the class name goes; the first is the single template, all are the ensemble. */
export interface ClassTask extends TaskOf<Example> {
  readonly kind?: "classify";
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
}

/** How the answers of a task are scored: by the likelihood of each choice, or as texts. */
export type TaskScore = "choice" | ScoreName;

/** A task that is answered in words. */
export interface AnswerTask extends TaskOf<Question> {
  readonly kind: "answer";
  /** The score that stands in its row of the matrix: `choice`, by the likelihood of its choices, or one of those that compare texts. */
  readonly score: TaskScore;
  /**
   * The most tokens of an answer that is generated. Default: as many as the longest answer of its training split has, or 256 where there is none, but no more
   * than half of the longest sequence.
   */
  readonly maxTokens?: number;
  /** The chat template by name (`chatml`, `vicuna`), or as a text that has `{prompt}`. Default: what the model is tuned with, as far as that is known. */
  readonly chat?: string;
  /** The most tokens of a question and its answer; what is longer is cut at the beginning of the question. Default: 2048, or what the model takes. */
  readonly context?: number;
}

/** One learning task. */
export type Task = ClassTask | AnswerTask;

/** Whether a task is answered in words. */
export const isAnswered = (task: Task): task is AnswerTask => task.kind === "answer";

/** The names of a task's classes; none where it is answered in words. */
export const classNamesOf = (task: Task): readonly string[] => (isAnswered(task) ? [] : task.classNames);

/**
 * `task`: scored among the task's own classes (MTIL). `union`: among the classes of all tasks (X-TAIL). `seen`: among those of all tasks up to the one
 * learned last (class-incremental learning).
 */
export type LabelSpace = "task" | "union" | "seen";

/** An ordered, immutable sequence of tasks of one kind. */
interface StreamOf<T extends Task> {
  readonly tasks: readonly T[];
  readonly labelSpace: LabelSpace;
  /** Datasets that are scored after every task, each among its own classes, and never learned: what the model knew before, as a number. Default: none. */
  readonly probes?: readonly T[];
  /** A dataset whose training pictures and classes methods distil on, and whose labels are never learned. Default: none. */
  readonly reference?: ClassTask;
}

/** A stream of tasks that are classified. */
export type ClassStream = StreamOf<ClassTask>;

/** A stream of tasks that are answered in words; its label space has no meaning. */
export type AnswerStream = StreamOf<AnswerTask>;

/** An ordered, immutable sequence of tasks, all of one kind. */
export type Stream = ClassStream | AnswerStream;

/** Whether all tasks and probes of a stream are answered in words; a stream without any is not. */
export const isAnswerStream = (stream: Stream): stream is AnswerStream => {
  const all: readonly Task[] = [...stream.tasks, ...(stream.probes ?? [])];
  return all.length > 0 && all.every(isAnswered);
};
