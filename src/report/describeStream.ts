/** What a stream holds, before anything is learned: pictures and classes by task and split, and what its readers left out. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { noLabel, type Example } from "../data/example.ts";
import { printable, someOf } from "../data/leftOut.ts";
import { isAnswered, isAnswerStream, type ClassStream, type ClassTask, type Notes, type Stream, type Task } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { describeAnswers, summariseAnswers, type AnswerTaskSummary } from "./describeAnswers.ts";
import { count, missing } from "./format.ts";
import { splitLines, streamTable } from "./streamTable.ts";
import { alignLeft, alignRight } from "./table.ts";

/** Options of {@link describeStream}. */
export interface DescribeOptions {
  /** Whether training splits are used, and so listed. Default true. */
  readonly training?: boolean;
}

/** What a split holds. */
export interface SplitSummary {
  readonly pictures: number;
  /** Classes that have a picture. */
  readonly classes: number;
}

/** What a task holds: its training split where that is used, its test split, and a line for everything that its reader left out or that it lacks. */
export interface TaskSummary {
  readonly name: string;
  readonly classNames: readonly string[];
  readonly templates: readonly string[];
  readonly train?: SplitSummary;
  readonly test: SplitSummary;
  readonly notes: readonly string[];
}

/** What there is to say of one split. */
interface Described {
  readonly pictures: number;
  /** The labels that have a picture. */
  readonly labels: ReadonlySet<number>;
  readonly unread: readonly string[];
  readonly notes: readonly string[];
}

const describeSplit = async (examples: readonly Example[], notes: Notes | undefined): Promise<Described> => {
  const unread = examples.filter(({ label }) => label === noLabel).map(({ id }) => id);
  return {
    pictures: examples.length - unread.length,
    labels: new Set(examples.map(({ label }) => label).filter((label) => label !== noLabel)),
    unread,
    notes: (await notes?.()) ?? [],
  };
};

/** One task or probe: its training split where that is used, and its test split. */
interface DescribedTask {
  readonly task: ClassTask;
  readonly train?: Described;
  readonly test: Described;
}

/** The classes that lack pictures, a line for each way to lack them. */
const lacking = ({ task: { classNames }, train, test }: DescribedTask): readonly string[] => {
  const without = (lacks: (label: number) => boolean, what: string): readonly string[] => {
    const names = classNames.filter((_, label) => lacks(label));
    return names.length === 0 ? [] : [`${names.length} of ${classNames.length} classes ${names.length === 1 ? "has" : "have"} no ${what}: ${someOf(names, 3)}`];
  };
  if (train === undefined) return without((label) => !test.labels.has(label), "test picture");
  return [
    ...without((label) => !train.labels.has(label) && !test.labels.has(label), "picture"),
    ...without((label) => !train.labels.has(label) && test.labels.has(label), "training picture"),
    ...without((label) => train.labels.has(label) && !test.labels.has(label), "test picture"),
  ];
};

/** Names that more than one class has: no prompt can tell such classes apart. */
const shared = (classNames: readonly string[]): readonly string[] => {
  const [once, twice] = [new Set<string>(), new Set<string>()];
  for (const name of classNames) (once.has(name) ? twice : once).add(name);
  const again = [...twice];
  return again.length === 0 ? [] : [`${again.length} class ${again.length === 1 ? "name is that" : "names are those"} of several classes: ${someOf(again, 3)}`];
};

/** All that is worth a line of one task. */
const linesOf = (described: DescribedTask): readonly string[] => {
  const { task, train, test } = described;
  return [...splitLines(train, test), ...lacking(described), ...shared(task.classNames)];
};

const summaryOf = ({ pictures, labels }: Described): SplitSummary => ({ pictures, classes: labels.size });

const summariseClasses =
  (training: boolean) =>
  (task: ClassTask): TE.TaskEither<Failure, TaskSummary> => {
    const split = (name: "train" | "test"): TE.TaskEither<Failure, Described> =>
      pipe(
        task[name],
        TE.chainTaskK((examples) => () => describeSplit(examples, task.notes?.[name])),
      );
    return pipe(
      split("test"),
      TE.bindTo("test"),
      TE.bind("train", () => (training ? split("train") : TE.right(undefined))),
      TE.map(({ train, test }) => {
        const { name, classNames, templates } = task;
        const notes = linesOf({ task, test, ...(train === undefined ? {} : { train }) });
        return { name, classNames, templates, ...(train === undefined ? {} : { train: summaryOf(train) }), test: summaryOf(test), notes };
      }),
    );
  };

/** What a task holds; `training` says whether its training split is used, and so listed. Fails as its lists do. */
export const summariseTask =
  (training: boolean) =>
  (task: Task): TE.TaskEither<Failure, TaskSummary | AnswerTaskSummary> =>
    isAnswered(task) ? summariseAnswers(training)(task) : summariseClasses(training)(task);

/**
 * A stream in words for people: a table of pictures and classes by task and split, or of questions, their pictures and how they are scored; then a line for
 * everything that its readers left out and for classes without pictures. Probes stand behind the tasks and are called that; of them test splits alone are used.
 * Lists every split; fails as their lists do.
 *
 * ```ts
 * const split = async () => ({ _tag: "Right" as const, right: [] });
 * const pets = { name: "pets", classNames: ["cat"], templates: ["a {c}."], train: split, test: split };
 * const text = await report.describeStream({ tasks: [pets], labelSpace: "task" })();
 * assert.ok(text._tag === "Right" && text.right.includes("pets: 1 of 1 classes has no picture: cat"));
 * ```
 */
export const describeStream = (stream: Stream, { training = true }: DescribeOptions = {}): TE.TaskEither<Failure, string> =>
  isAnswerStream(stream) ? describeAnswers(stream, training) : describeClasses(stream, training);

const describeClasses = ({ tasks, probes = [] }: ClassStream, training: boolean): TE.TaskEither<Failure, string> =>
  pipe(
    [...tasks.map(summariseClasses(training)), ...probes.map(summariseClasses(false))],
    TE.sequenceSeqArray,
    TE.map((described) => {
      const numbers = (heading: string, number: (d: TaskSummary) => number | undefined): readonly string[] =>
        alignRight([
          heading,
          ...described.map((d) => {
            const n = number(d);
            return n === undefined ? missing : count(n);
          }),
        ]);
      const splitColumns = (heading: string, of: (d: TaskSummary) => SplitSummary | undefined): readonly (readonly string[])[] => [
        numbers(heading, (d) => of(d)?.pictures),
        numbers("of classes", (d) => of(d)?.classes),
      ];
      const columns = [
        alignLeft(["Task", ...tasks.map(({ name }) => printable(name)), ...probes.map(({ name }) => `${printable(name)} (probe)`)]),
        numbers("Classes", ({ classNames }) => classNames.length),
        ...(training ? splitColumns("Training pictures", ({ train }) => train) : []),
        ...splitColumns("Test pictures", ({ test }) => test),
      ];
      return streamTable(columns, described);
    }),
  );
