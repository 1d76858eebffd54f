/** What a job learns and what it is probed with, checked before a device is opened: dataset folders, or the datasets of a protocol, as a stream. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { checkProtocol } from "../data/checkProtocol.ts";
import type { CheckedProtocol, DatasetsAt, ProtocolOptions } from "../data/checked.ts";
import { isAnswerProtocol, protocols, taskCount, type Protocol } from "../data/protocols.ts";
import type { Stream, Task } from "../data/task.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { adjusted, streamFromFolders, type SourceOptions, type StreamOptions } from "./folders.ts";
import type { Job } from "./job.ts";
import type { Placed } from "./placed.ts";

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
