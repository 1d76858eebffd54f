/**
 * Reading and writing whole files and folders: a failure always names the path, a write either happens or leaves no trace.
 *
 * A write goes to a temporary name beside its target (the system's temporary folder may be on another disk, where a rename
 * fails), reaches the disk, and is then renamed; whatever goes wrong, the target is as it was.
 */
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Errors, Type } from "io-ts";
import type { Failure } from "../failure.ts";

/** The message of a thrown value in one line, without its stack; system errors lose the path that every `Failure` carries anyway. */
export const message = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .trim()
    .split("\n")[0]
    .replace(/, \w+ '.*$/, "")
    .replace(/^ENOENT: /, "")
    .replace(/^\w*Error: /, "");

/** A `FileUnreadable` for `path`, from whatever was thrown. */
export const unreadable =
  (path: string) =>
  (error: unknown): Failure => ({ _tag: "FileUnreadable", path, detail: message(error) });

/** A `FileCorrupt` for `path`. */
export const corrupt = (path: string, detail: string, offset?: number): Failure => ({ _tag: "FileCorrupt", path, detail, offset });

const unwritable =
  (path: string) =>
  (error: unknown): Failure => ({ _tag: "FileUnwritable", path, detail: message(error) });

/** Whether something is at `path`. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** All bytes of a file; `FileUnreadable` where it is missing or not a file. */
export const readBytes = (path: string): TE.TaskEither<Failure, Uint8Array> => TE.tryCatch(() => readFile(path), unreadable(path));

/** A file as UTF-8 text without a byte order mark; `FileCorrupt` where it is not UTF-8. */
export const readText = (path: string): TE.TaskEither<Failure, string> =>
  pipe(
    readBytes(path),
    TE.chainEitherK((bytes) =>
      E.tryCatch(
        () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
        () => corrupt(path, "it is not UTF-8 text"),
      ),
    ),
  );

/** A JSON file as an unchecked value; `FileUnreadable`, or `FileCorrupt` where it is not JSON. */
export const readJson = (path: string): TE.TaskEither<Failure, unknown> =>
  pipe(
    readText(path),
    TE.chainEitherK((text) =>
      E.tryCatch(
        () => JSON.parse(text) as unknown,
        (e) => corrupt(path, `it is not JSON: ${message(e)}`),
      ),
    ),
  );

const printed = (value: unknown): string => {
  const text = value === undefined ? "nothing" : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** One line for the most specific complaint of an io-ts decoder: the key, what was expected there and what was found. */
export const explain = (errors: Errors): string => {
  const deepest = errors.reduce((a, b) => (b.context.length > a.context.length ? b : a));
  const key = deepest.context
    .map((entry) => entry.key)
    .filter((k) => k !== "" && !/^\d+$/.test(k))
    .join(".");
  const expected = deepest.context[deepest.context.length - 1].type.name;
  return `${key === "" ? "the whole" : `"${key}"`} should be ${expected} and is ${printed(deepest.value)}`;
};

/** A JSON file that fits `codec`; `BadConfig` names the key that does not. */
export const readJsonAs = <A>(codec: Type<A, unknown, unknown>, path: string): TE.TaskEither<Failure, A> =>
  pipe(
    readJson(path),
    TE.chainEitherK((value) =>
      pipe(
        codec.decode(value),
        E.mapLeft((errors): Failure => ({ _tag: "BadConfig", path, detail: explain(errors) })),
      ),
    ),
  );

/** The system writes at most 2 GiB in one call. */
const oneWrite = 2 ** 30;

let writes = 0;

/** A name beside `path` that no other write of this or another process uses. */
const temporary = (path: string): string => join(dirname(path), `.${basename(path)}.tmp-${process.pid}-${writes++}`);

/** A folder entry reaches the disk only when its folder is synced; not every system can do that, and none needs it to be correct. */
const syncFolder = async (path: string): Promise<void> => {
  try {
    const handle = await open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows cannot open a folder.
  }
};

/**
 * Writes `chunks` one after the other to `path`, as one: a temporary file beside it, synced, renamed. Missing parent folders are
 * made. On any error, also one thrown by `chunks`, the temporary file is removed and `path` is as it was (`FileUnwritable`).
 */
export const writeAtomic = (path: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): TE.TaskEither<Failure, void> =>
  TE.tryCatch(async () => {
    await mkdir(dirname(path), { recursive: true });
    const temp = temporary(path);
    try {
      const handle = await open(temp, "wx");
      try {
        for await (const chunk of chunks) {
          for (let at = 0; at < chunk.byteLength; ) {
            at += (await handle.write(chunk, at, Math.min(chunk.byteLength - at, oneWrite))).bytesWritten;
          }
        }
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temp, path);
    } catch (error) {
      await rm(temp, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
  }, unwritable(path));

/** {@link writeAtomic} for text. */
export const writeText = (path: string, text: string): TE.TaskEither<Failure, void> => writeAtomic(path, [new TextEncoder().encode(text)]);

/** {@link writeAtomic} for a value as indented JSON with a final newline. */
export const writeJson = (path: string, value: unknown): TE.TaskEither<Failure, void> =>
  pipe(
    TE.fromEither(E.tryCatch(() => `${JSON.stringify(value, null, 2)}\n`, unwritable(path))),
    TE.chain((text) => writeText(path, text)),
  );

/**
 * Fills a folder as one: `write` gets a temporary folder beside `dir`; when it is right the folder takes the place of `dir` (which
 * is removed only after that), when it is left or throws the temporary folder is removed and `dir` is as it was.
 */
export const writeFolderAtomic =
  <A>(dir: string, write: (temp: string) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const temp = temporary(dir);
    const old = `${temp}-old`;
    const attempt = <B>(f: () => Promise<B>): Promise<E.Either<Failure, B>> => TE.tryCatch(f, unwritable(dir))();
    const made = await attempt(async () => {
      await mkdir(dirname(dir), { recursive: true });
      await mkdir(temp);
    });
    if (E.isLeft(made)) return made;
    const written = E.flatten(await attempt(() => write(temp)()));
    const swapped = E.isLeft(written)
      ? written
      : await attempt(async () => {
          await syncFolder(temp);
          const replaced = await rename(dir, old).then(
            () => true,
            (e: { code?: string }) => {
              if (e.code === "ENOENT") return false;
              throw e;
            },
          );
          try {
            await rename(temp, dir);
          } catch (error) {
            if (replaced) await rename(old, dir);
            throw error;
          }
          await syncFolder(dirname(dir));
          await rm(old, { recursive: true, force: true });
        });
    if (E.isLeft(swapped)) await attempt(() => rm(temp, { recursive: true, force: true }));
    return pipe(
      swapped,
      E.chain(() => written),
    );
  };
