/** Streams from tasks of any kind. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { isAnswered, isAnswerStream, type ClassStream, type LabelSpace, type Stream, type Task } from "./task.ts";

/** What a stream is made of. */
export interface StreamParts {
  readonly tasks: readonly Task[];
  readonly labelSpace: LabelSpace;
  readonly probes?: readonly Task[];
}

/**
 * The tasks and probes as a stream. Fails with `BadOption` where some are classified and others are answered in words.
 *
 * ```ts
 * const none = async () => ({ _tag: "Right" as const, right: [] });
 * const pets = { name: "pets", classNames: ["cat"], templates: ["a {c}."], train: none, test: none };
 * const sums = { kind: "answer" as const, name: "sums", score: "exact" as const, train: none, test: none };
 * assert.equal(data.streamFrom({ tasks: [pets, sums], labelSpace: "task" })._tag, "Left");
 * ```
 */
export const streamFrom = (parts: StreamParts): E.Either<Failure, Stream> => {
  const all = [...parts.tasks, ...(parts.probes ?? [])];
  const [answered, classified] = [all.find(isAnswered), all.find((task) => !isAnswered(task))];
  if (answered === undefined || classified === undefined) return E.right(parts as Stream);
  const detail = `${classified.name} is classified and ${answered.name} is answered in words; a stream has tasks of one kind`;
  return E.left({ _tag: "BadOption", option: "data", detail });
};

/** A stream whose tasks are classified. Fails with `BadOption` for one whose tasks are answered in words. */
export const classified = (stream: Stream): E.Either<Failure, ClassStream> =>
  isAnswerStream(stream)
    ? E.left({ _tag: "BadOption", option: "data", detail: `${stream.tasks[0]?.name} is answered in words, and this is for tasks that are classified` })
    : E.right(stream);
