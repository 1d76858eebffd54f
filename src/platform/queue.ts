/**
 * Work that is handed out in pieces: to one process that takes them one after the other, or to many on many machines. A piece is handed out again where its
 * taker is lost, so whoever performs one must be able to go on with what another has begun.
 */
import type { Task } from "fp-ts/lib/Task.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";

/** A piece of work: plain data under a name that no other piece has. */
export interface Piece {
  readonly id: string;
  readonly data: unknown;
}

/** What became of a piece. */
export type Verdict =
  | { readonly kind: "done" }
  /** It cannot be done, in words. */
  | { readonly kind: "failed"; readonly detail: string }
  /** It cannot be done now: somebody else is at it. */
  | { readonly kind: "later" }
  /** It was given back, because whoever took it was asked to stop. */
  | { readonly kind: "stopped" };

/** A verdict; with `broken` whoever took the piece can do no other, either. */
export type Performed = Verdict & { readonly broken?: Failure };

/** Where a piece stands; `unknown` where the queue has no such piece. */
export type Standing = { readonly state: "unknown" | "waiting" | "active" | "done" } | { readonly state: "failed"; readonly detail: string };

/** How pieces are taken. */
export interface TakeOptions {
  /** Takes none after one, or none when nothing waits and nobody is at one. Default: until it is asked to stop. */
  readonly until?: "one" | "empty";
  /** Aborted when no other should be taken. */
  readonly signal?: { readonly aborted: boolean };
}

/** A queue. */
export interface Queue {
  /** Puts pieces that are not waiting and that nobody is at; those that have failed only where they are to be tried again. */
  readonly put: (pieces: readonly Piece[], options?: { readonly again?: boolean }) => TaskEither<Failure, void>;
  /** Takes pieces, one after the other. Fails with what a verdict says is broken. */
  readonly take: (perform: (piece: Piece) => Task<Performed>, options?: TakeOptions) => TaskEither<Failure, void>;
  /** Where each of some pieces stands. */
  readonly standing: (ids: readonly string[]) => TaskEither<Failure, readonly Standing[]>;
  readonly close: Task<void>;
}

/** Options of a queue that is opened. */
export interface QueueOptions {
  /** The name of the queue; those of one name share their pieces. Default: `cambium`. */
  readonly name?: string;
  /** Called with what somebody should know: that the server is away, and that it is back. */
  readonly note?: (line: string) => void;
}

/** Opens a queue that a server keeps. Fails with `BadOption` where the address is none, nobody answers there, or a package is not installed. */
export type OpenQueue = (url: string, options?: QueueOptions) => TaskEither<Failure, Queue>;
