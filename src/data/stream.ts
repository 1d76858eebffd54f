/** Streams from tasks of any kind. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { isAnswered, isAnswerStream, type ClassStream, type ClassTask, type LabelSpace, type Stream, type Task } from "./task.ts";

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** What a stream is made of. */
export interface StreamParts {
  readonly tasks: readonly Task[];
  readonly labelSpace: LabelSpace;
  readonly probes?: readonly Task[];
  readonly reference?: ClassTask;
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
  const { tasks, probes = [] } = parts;
  const all = [...tasks, ...probes];
  const [answered, classified] = [all.find(isAnswered), all.find((task) => !isAnswered(task))];
  if (answered !== undefined && parts.reference !== undefined)
    return bad("reference", `${answered.name} is answered in words, and reference pictures are of methods that tell classes apart; leave it out`);
  if (answered === undefined || classified === undefined) return E.right(parts as Stream);
  const two = `${classified.name} is classified and ${answered.name} is answered in words`;
  return tasks.includes(answered) && tasks.includes(classified)
    ? bad("data", `${two}; a stream has tasks of one kind`)
    : bad("probe", `${two}; probes are of the same kind as the tasks`);
};

/** How classes are told apart, which has no meaning where there are none. */
export interface ClassScoring {
  readonly labelSpaces: readonly LabelSpace[];
  readonly templates?: "single" | "ensemble";
}

/** Fails with `BadOption` where questions that are answered in words are to be scored as classes are: among those of several tasks, or by several templates. */
export const checkScoring = (stream: Stream, { labelSpaces, templates }: ClassScoring): E.Either<Failure, Stream> => {
  if (!isAnswerStream(stream)) return E.right(stream);
  const space = labelSpaces.find((one) => one !== "task");
  const which = `${stream.tasks[0]?.name} is answered in words`;
  if (space !== undefined) return bad("label-space", `is ${space}, which is of classes, and ${which}; leave it out`);
  return templates === "ensemble" ? bad("templates", `is ensemble, which is of classes, and ${which}; leave it out`) : E.right(stream);
};

/** A stream whose tasks are classified. Fails with `BadOption` for one whose tasks are answered in words. */
export const classified = (stream: Stream): E.Either<Failure, ClassStream> =>
  isAnswerStream(stream) ? bad("data", `${stream.tasks[0]?.name} is answered in words, and this is for tasks that are classified`) : E.right(stream);
