/** Checks that a folder of datasets has all that a protocol needs, and makes the protocol's stream of it. */
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { AnswerProtocol } from "./answerProtocols.ts";
import { checkAnswers } from "./checkAnswers.ts";
import { checkClasses } from "./checkClasses.ts";
import type { CheckedProtocol, DatasetsAt, ProtocolOptions } from "./checked.ts";
import { isAnswerProtocol, type ClassProtocol, type Protocol } from "./protocols.ts";
import type { AnswerStream, ClassStream } from "./task.ts";

/** The stream of a protocol, of the kind that the protocol has. */
export interface CheckProtocol {
  (protocol: ClassProtocol, where: DatasetsAt, options: ProtocolOptions): TaskEither<Failure, CheckedProtocol<ClassStream>>;
  (protocol: AnswerProtocol, where: DatasetsAt, options: ProtocolOptions): TaskEither<Failure, CheckedProtocol<AnswerStream>>;
  (protocol: Protocol, where: DatasetsAt, options: ProtocolOptions): TaskEither<Failure, CheckedProtocol>;
}

/**
 * The stream of a protocol from a folder of datasets, or from the folder of each: tasks in order, named as in the protocol, with what it says of them. Fails
 * with one `FileUnreadable` that lists everything that is missing or wrong. Every split is listed; images are read later.
 */
export const checkProtocol = ((protocol: Protocol, where: DatasetsAt, options: ProtocolOptions) =>
  isAnswerProtocol(protocol) ? checkAnswers(protocol, where, options) : checkClasses(protocol, where, options)) as CheckProtocol;
