/**
 * What Cambium asks of a place that holds files: a disk, a browser's own storage, a map in memory.
 *
 * Paths are text with `/` between names. A failure names the path that it is about. A write happens whole or leaves no trace.
 */
import type { Task } from "fp-ts/lib/Task.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Either } from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";

/** What stands in a folder under a name. A link is what it leads to; one that leads nowhere is a broken link. */
export interface Entry {
  readonly name: string;
  readonly kind: "file" | "folder" | "broken link" | "other";
}

/** A file that is open for reading. */
export interface OpenFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Fills `into` with the bytes from `position` on and gives how many there were: fewer than `into` holds only where the file ends. */
  readonly read: (into: Uint8Array, position: number) => TaskEither<Failure, number>;
}

/** A folder that is held. */
export interface Lock {
  readonly release: Task<void>;
}

/** A file that grows: what is written appears at once. */
export interface Appender {
  /** Fails with `FileUnwritable`. */
  readonly write: (text: string) => Either<Failure, void>;
  /** The size of the file in bytes. */
  readonly size: () => number;
  readonly close: Task<void>;
}

/** A place that holds files. */
export interface Files {
  /** Whether a file or a folder is at `path`. */
  readonly exists: (path: string) => Task<boolean>;
  /** What stands in a folder, in no particular order. Fails with `FileUnreadable`. */
  readonly list: (path: string) => TaskEither<Failure, readonly Entry[]>;
  /** All bytes of a file. Fails with `FileUnreadable` where it is missing or a folder. */
  readonly read: (path: string) => TaskEither<Failure, Uint8Array>;
  /** Opens a file, uses it and closes it whatever happens. Fails with `FileUnreadable` where it is missing or a folder. */
  readonly open: <A>(path: string, use: (file: OpenFile) => TaskEither<Failure, A>) => TaskEither<Failure, A>;
  /**
   * Writes `chunks` one after the other as one file; missing folders above it are made. On any error, also one that `chunks` throws, `path` is as it was
   * (`FileUnwritable`).
   */
  readonly write: (path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) => TaskEither<Failure, void>;
  /**
   * Writes a folder as one: `fill` is given the path of a temporary folder, which takes the place of `path` where `fill` succeeds. Where it fails or throws,
   * `path` is as it was, and failures name places below `path`.
   */
  readonly writeFolder: <A>(path: string, fill: (temporary: string) => TaskEither<Failure, A>) => TaskEither<Failure, A>;
  /** Opens a file that grows, new or as it is up to byte `from`: what stands behind that is cut off. Fails with `FileUnwritable`. */
  readonly append: (path: string, from?: number) => TaskEither<Failure, Appender>;
  /** Gives a file or a folder another name in the same folder, in one step. Fails with `FileUnwritable`. */
  readonly rename: (from: string, to: string) => TaskEither<Failure, void>;
  /** Removes a file, or a folder with all that is in it; nothing where there is neither. Fails with `FileUnwritable`. */
  readonly remove: (path: string) => TaskEither<Failure, void>;
  /**
   * Holds a folder, which is made where it is missing, for this process alone. Fails with `FileUnwritable` (`held`) where another living process holds it; what
   * a dead one held is free.
   */
  readonly lock: (folder: string) => TaskEither<Failure, Lock>;
  /** Whether the name of an entry is one that a write gives to what is not whole yet. */
  readonly unfinished: (name: string) => boolean;
  /** The same path from the root on, without `.` and `..`: what a folder that is called `.` is named after. */
  readonly absolute: (path: string) => string;
  /** The absolute path of what `path` leads to, with no link on the way; where nothing is there, as {@link Files.absolute} gives it. */
  readonly real: (path: string) => Task<string>;
}
