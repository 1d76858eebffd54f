/** Dataset folders as a stream, checked before a device is opened. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { ColumnNames } from "../data/parquetColumns.ts";
import { fewShot, limitTest } from "../data/sampling.ts";
import type { OnCorrupt } from "../data/source.ts";
import { streamFrom } from "../data/stream.ts";
import { isAnswered, type LabelSpace, type Split, type Stream, type Task } from "../data/task.ts";
import { readTask } from "../data/taskFromFolder.ts";
import type { Failure } from "../failure.ts";
import type { Platform } from "../platform/platform.ts";
import type { Located } from "./locate.ts";

/** What the datasets in some folders are called. */
export type Titles = ReadonlyMap<string, string>;

/** What the datasets in these folders are called. */
export const titlesOf = (located: readonly Located[]): Titles => new Map(located.map(({ folder, title }) => [folder, title]));

/** How folders become a stream. */
export interface SourceOptions {
  readonly onCorrupt: OnCorrupt;
  readonly seed: number;
  /** Test images a dataset: the same ones for every seed. */
  readonly evalLimit?: number;
  /** How questions are asked, the most tokens of one with its answer, and of an answer that is generated; what a task says itself by default. */
  readonly chat?: string;
  readonly context?: number;
  readonly maxTokens?: number;
  /** The share that is drawn for training from folders without train and test. */
  readonly split?: number | "test";
  /** Whether training splits are needed. */
  readonly training: boolean;
  /** What the datasets in some folders are called. */
  readonly titles: Titles;
  readonly columns?: ColumnNames;
  readonly platform: Pick<Platform, "files" | "decodeImage">;
}

/** What flags say of a stream, and a protocol says of itself. */
export interface StreamOptions {
  readonly labelSpace?: LabelSpace;
  /** Training images a class, or questions a task. */
  readonly shots?: number;
}

/** A name that comes again gets the first of -2, -3, … that nobody has. */
export const distinctNames = (names: readonly string[]): readonly string[] => {
  const given = new Set<string>();
  return names.map((name) => {
    let distinct = name;
    for (let n = 2; given.has(distinct); n++) distinct = `${name}-${n}`;
    given.add(distinct);
    return distinct;
  });
};

/** Lists a split, so that what is missing is told before anything runs; readers remember the list. */
export const checkSplit = (dir: string, what: string, split: Split<unknown>): TE.TaskEither<Failure, void> =>
  pipe(
    split,
    TE.filterOrElse(
      (examples) => examples.length > 0,
      (): Failure => ({ _tag: "FileUnreadable", path: dir, detail: `its ${what} split is empty` }),
    ),
    TE.map(() => undefined),
  );

/** A task with what a job says of all of its tasks: how many test examples count, and how questions are asked. */
export const adjusted =
  ({ evalLimit, ...asked }: Pick<SourceOptions, "evalLimit" | "chat" | "context" | "maxTokens">) =>
  <T extends Task>(task: T): T => {
    const limited = evalLimit === undefined ? task : limitTest(evalLimit, 0)(task);
    if (!isAnswered(limited)) return limited;
    const { chat = limited.chat, context = limited.context, maxTokens = limited.maxTokens } = asked;
    return { ...limited, chat, context, maxTokens };
  };

/** The task in a folder, under its title. */
export const titled =
  (dir: string, titles: Titles) =>
  (task: Task): Task => ({ ...task, name: titles.get(dir) ?? task.name });

/** The dataset folders as a stream, one task each, in their order; by default all images, scored among each task's own classes. */
export const streamFromFolders = (
  dirs: readonly string[],
  { labelSpace = "task", shots }: StreamOptions,
  options: SourceOptions,
): TE.TaskEither<Failure, Stream> =>
  pipe(
    dirs,
    TE.traverseSeqArray((dir) =>
      pipe(
        readTask(dir, { onCorrupt: options.onCorrupt, split: options.split, columns: options.columns, platform: options.platform }),
        TE.map(titled(dir, options.titles)),
        TE.chainFirst((task) => checkSplit(dir, "test", task.test)),
        TE.chainFirst((task) => (options.training ? checkSplit(dir, "training", task.train) : TE.right(undefined))),
      ),
    ),
    TE.chainEitherK((tasks) => {
      const names = distinctNames(tasks.map((task) => task.name));
      const few = shots === undefined ? (task: Task) => task : fewShot(shots, options.seed);
      return streamFrom({ labelSpace, tasks: tasks.map((task, i) => adjusted(options)(few({ ...task, name: names[i] }))) });
    }),
  );
