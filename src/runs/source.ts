/** What a job learns and what it is probed with, checked before a device is opened: dataset folders, or the datasets of a protocol, as a stream. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { checkProtocol } from "../data/checkProtocol.ts";
import type { CheckedProtocol, DatasetsAt, ProtocolOptions } from "../data/checked.ts";
import type { ColumnNames } from "../data/parquetColumns.ts";
import { isAnswerProtocol, protocols, taskCount, type Protocol } from "../data/protocols.ts";
import { fewShot, limitTest } from "../data/sampling.ts";
import type { OnCorrupt } from "../data/source.ts";
import { streamFrom } from "../data/stream.ts";
import { isAnswered, type LabelSpace, type Split, type Stream, type Task } from "../data/task.ts";
import { readTask } from "../data/taskFromFolder.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Platform } from "../platform/platform.ts";
import type { Job } from "./job.ts";
import type { Placed } from "./placed.ts";

/** How folders become a stream. */
interface SourceOptions {
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
  readonly titles: Placed["titles"];
  readonly columns?: ColumnNames;
  readonly platform: Pick<Platform, "files" | "decodeImage">;
}

/** What flags say of a stream, and a protocol says of itself. */
interface StreamOptions {
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
  (dir: string, titles: Placed["titles"]) =>
  (task: Task): Task => ({ ...task, name: titles.get(dir) ?? task.name });

/** The dataset folders as a stream, one task each, in their order; by default all images, scored among each task's own classes. */
const streamFromFolders = (dirs: readonly string[], { labelSpace = "task", shots }: StreamOptions, options: SourceOptions): TE.TaskEither<Failure, Stream> =>
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

/** A protocol with what the flags say otherwise; label spaces are of classes. */
const withFlags = (protocol: Protocol, { labelSpace, shots = protocol.shots }: StreamOptions): Protocol =>
  isAnswerProtocol(protocol) ? { ...protocol, shots } : { ...protocol, labelSpace: labelSpace ?? protocol.labelSpace, shots };

/** The stream of a protocol; what is given in `flags` wins over what the protocol says. */
const streamFromProtocol = (
  protocol: Protocol,
  where: DatasetsAt,
  flags: StreamOptions,
  options: SourceOptions & Pick<ProtocolOptions, "firstTemplate" | "classOrder">,
): TE.TaskEither<Failure, CheckedProtocol> =>
  pipe(
    checkProtocol(withFlags(protocol, flags), where, options),
    TE.map(({ stream, notes }) => ({ stream: { ...stream, tasks: (stream.tasks as readonly Task[]).map(adjusted(options)) } as Stream, notes })),
  );

/** Whether some positions are those of so many tasks, each once. */
export const isOrder = (order: readonly number[], tasks: number): boolean => order.length === tasks && Array.from(order.keys()).every((i) => order.includes(i));

const checkOrder = (protocol: Protocol, order?: readonly number[]): E.Either<Failure, void> => {
  const tasks = taskCount(protocol);
  if (order === undefined || isOrder(order, tasks)) return E.right(undefined);
  return E.left({ _tag: "BadOption", option: "source.order", detail: `should have the positions 0 to ${tasks - 1} of ${protocol.name}'s tasks, each once` });
};

const ordered =
  (order?: readonly number[]) =>
  (stream: Stream): Stream =>
    order === undefined ? stream : ({ ...stream, tasks: order.map((i) => stream.tasks[i]) } as Stream);

/** Where the datasets of a protocol are: in one folder, or each in its own. */
export const datasetsAt = ({ root, datasets = {} }: Exclude<Job["source"], { folders: unknown }>): DatasetsAt => root ?? datasets;

/** What of a job says what is learned, or only scored: then class folders without splits may all be for testing. */
export type StreamSource = Pick<
  Placed,
  "columns" | "labelSpace" | "shots" | "onCorrupt" | "seed" | "evalLimit" | "chat" | "context" | "maxTokens" | "titles"
> & {
  readonly source: Job["source"] | { readonly folders: readonly string[]; readonly split?: number | "test" };
};

/** The stream of a job alone. `training` says whether its method reads training splits. */
export const streamOf = (
  { source, labelSpace, shots, onCorrupt, seed, evalLimit, chat, context, maxTokens, titles, columns }: StreamSource,
  training: boolean,
  files: Files,
): TE.TaskEither<Failure, CheckedProtocol> => {
  const options = { onCorrupt, seed, evalLimit, chat, context, maxTokens, training, titles, columns, platform: { ...platform, files } };
  if ("folders" in source)
    return pipe(
      streamFromFolders(source.folders, { labelSpace, shots }, { ...options, split: source.split }),
      TE.map((stream) => ({ stream, notes: [] })),
    );
  const protocol: Protocol = protocols[source.protocol];
  const { firstTemplate, classOrder } = source;
  return pipe(
    TE.fromEither(checkOrder(protocol, source.order)),
    TE.chain(() => streamFromProtocol(protocol, datasetsAt(source), { labelSpace, shots }, { ...options, firstTemplate, classOrder })),
    TE.map(({ stream, notes }) => ({ stream: ordered(source.order)(stream), notes })),
  );
};
