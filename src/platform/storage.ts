/** What Cambium asks of a place that holds objects by key: what machines reach that share no disk. An object is there whole or not at all. */
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { OpenFile } from "./files.ts";

/** An object, or a part of one. */
export interface StoredObject {
  readonly bytes: Uint8Array;
  /** Another one when the object is put with other bytes. */
  readonly tag: string;
}

/** A place that holds objects; its keys are below the prefix that it was opened with. Everything fails as {@link storageFailure} says. */
export interface Storage {
  /** What it is called, without secrets. */
  readonly name: string;
  /** The bytes of an object, or those of a part of it; undefined where there is none. */
  readonly get: (key: string, part?: { readonly from: number; readonly bytes: number }) => TaskEither<Failure, StoredObject | undefined>;
  /** Puts an object that still has the tag `seen`, or that is still missing. Gives its new tag; undefined where that was not so, and nothing is put then. */
  readonly put: (key: string, bytes: Uint8Array, seen: string | undefined) => TaskEither<Failure, string | undefined>;
  /** Puts a file as an object. */
  readonly upload: (key: string, file: OpenFile) => TaskEither<Failure, void>;
  /** The keys that begin with `prefix`. */
  readonly list: (prefix: string) => TaskEither<Failure, readonly string[]>;
  /** Removes an object; nothing where there is none. */
  readonly remove: (key: string) => TaskEither<Failure, void>;
}

/** Options of a storage that is opened. */
export interface StorageOptions {
  /** The address of a server that speaks like S3. Default: that of AWS. */
  readonly endpoint?: string;
}

/** Opens a storage. Fails with `BadOption` where the address is none, nobody answers there, it refuses, or a package is not installed. */
export type OpenStorage = (url: string, options?: StorageOptions) => TaskEither<Failure, Storage>;

const option = "--storage";

/** A failure of a storage, in words without secrets. */
export const storageFailure = (detail: string): Failure => ({ _tag: "BadOption", option, detail });

/** Whether a failure is one of a storage. */
export const isOfStorage = (failure: Failure): boolean => failure._tag === "BadOption" && failure.option === option;
