/**
 * Text and JSON in files, on any platform: a failure always names the path, a write either happens or leaves no trace.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Errors, Type } from "io-ts";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import { corrupt, unwritable } from "../platform/failures.ts";
import type { Files } from "../platform/files.ts";
import { complaintOf } from "./complaint.ts";
import { parseJson, printed } from "./json.ts";

export { corrupt, message, unreadable } from "../platform/failures.ts";

/** Whether something is at `path`. */
export const exists = (path: string, files: Files = platform.files): Promise<boolean> => files.exists(path)();

/** All bytes of a file; `FileUnreadable` where it is missing or not a file. */
export const readBytes = (path: string, files: Files = platform.files): TE.TaskEither<Failure, Uint8Array> => files.read(path);

/** The names that stand in a folder; `FileUnreadable` where there is none. */
export const listNames = (path: string, files: Files = platform.files): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    files.list(path),
    TE.map((entries) => entries.map(({ name }) => name)),
  );

/** A file as UTF-8 text without a byte order mark; `FileCorrupt` where it is not UTF-8. */
export const readText = (path: string, files: Files = platform.files): TE.TaskEither<Failure, string> =>
  pipe(
    files.read(path),
    TE.chainEitherK((bytes) =>
      E.tryCatch(
        () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
        () => corrupt(path, "it is not UTF-8 text"),
      ),
    ),
  );

/** A JSON file as an unchecked value; `FileUnreadable`, or `FileCorrupt` where it is not JSON. */
export const readJson = (path: string, files: Files = platform.files): TE.TaskEither<Failure, unknown> =>
  pipe(
    readText(path, files),
    TE.chainEitherK((text) =>
      pipe(
        parseJson(text),
        E.mapLeft((detail) => corrupt(path, detail)),
      ),
    ),
  );

/** One line for what the errors of a decoder complain of: the place, what was expected there and what was found. */
export const explain = (errors: Errors): string => {
  const { place, expected, value } = complaintOf(errors);
  return `${place === "" ? "the whole" : `"${place}"`} should be ${expected} and is ${printed(value)}`;
};

/** A JSON file that fits `codec`; `BadConfig` names the key that does not. */
export const readJsonAs = <A>(codec: Type<A, unknown, unknown>, path: string, files: Files = platform.files): TE.TaskEither<Failure, A> =>
  pipe(
    readJson(path, files),
    TE.chainEitherK((value) =>
      pipe(
        codec.decode(value),
        E.mapLeft((errors): Failure => ({ _tag: "BadConfig", path, detail: explain(errors) })),
      ),
    ),
  );

/** Writes `chunks` one after the other as one file, whole or not at all (`FileUnwritable`); missing folders above it are made. */
export const writeAtomic = (
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  files: Files = platform.files,
): TE.TaskEither<Failure, void> => files.write(path, chunks);

/** {@link writeAtomic} for text. */
export const writeText = (path: string, text: string, files: Files = platform.files): TE.TaskEither<Failure, void> =>
  files.write(path, [new TextEncoder().encode(text)]);

/** {@link writeAtomic} for a value as indented JSON with a final newline. */
export const writeJson = (path: string, value: unknown, files: Files = platform.files): TE.TaskEither<Failure, void> =>
  pipe(
    TE.fromEither(E.tryCatch(() => `${JSON.stringify(value, null, 2)}\n`, unwritable(path))),
    TE.chain((text) => writeText(path, text, files)),
  );

/**
 * Writes a folder as one: `write` is given a temporary folder, which takes the place of `dir` where `write` succeeds; where it fails or throws, `dir` is as
 * it was.
 */
export const writeFolderAtomic = <A>(
  dir: string,
  write: (temp: string) => TE.TaskEither<Failure, A>,
  files: Files = platform.files,
): TE.TaskEither<Failure, A> => files.writeFolder(dir, write);
