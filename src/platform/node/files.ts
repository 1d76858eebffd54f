/**
 * Files on the disk.
 *
 * A write goes to a temporary name beside its target (the system's temporary folder may be on another disk, where a rename fails), reaches the disk, and is
 * then renamed; whatever goes wrong, the target is as it was.
 */
import type { Dirent } from "node:fs";
import { mkdir, open, readdir, realpath, rename, rm, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { renamed, unreadable, unwritable } from "../failures.ts";
import type { Entry, Files } from "../files.ts";
import { isTemporary, temporaryName } from "../temporary.ts";
import { append } from "./append.ts";
import { makeFolder } from "./folders.ts";
import { lock } from "./lock.ts";
import { checkWritable, withFile } from "./regular.ts";

/** The system reads and writes at most 2 GiB in one call. */
const oneCall = 2 ** 30;

/** The bytes of a Buffer as what other platforms have too: it would compare as another kind of object. */
const plain = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);

/** Fills `into` from `position` on, as far as the file goes, and gives how many bytes there were. */
const readFrom = async (handle: FileHandle, into: Uint8Array, position: number): Promise<number> => {
  let at = 0;
  while (at < into.byteLength) {
    const { bytesRead } = await handle.read(into, at, Math.min(into.byteLength - at, oneCall), position + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
};

const openFile: Files["open"] = (path, use) =>
  pipe(
    TE.tryCatch(
      () =>
        withFile(path, (handle, size) => {
          const read = (into: Uint8Array, position: number) => TE.tryCatch(() => readFrom(handle, into, position), unreadable(path));
          return use({ path, size, read })();
        }),
      unreadable(path),
    ),
    TE.chainEitherK((used) => used),
  );

/** A path beside `path` for what takes its place. */
const temporary = (path: string): string => join(dirname(path), temporaryName(basename(path)));

const slashed = (path: string): string => path.replaceAll(sep, "/");

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

const write: Files["write"] = (named, chunks) =>
  TE.tryCatch(async () => {
    checkWritable(named);
    // A link stays one: what it leads to is replaced.
    const path = await realpath(named).catch(() => named);
    await makeFolder(dirname(path));
    const temp = temporary(path);
    try {
      const handle = await open(temp, "wx");
      try {
        for await (const chunk of chunks) {
          for (let at = 0; at < chunk.byteLength; ) {
            at += (await handle.write(chunk, at, Math.min(chunk.byteLength - at, oneCall))).bytesWritten;
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
  }, unwritable(named));

/** Puts the folder `temp` in the place of `dir`, which is removed only after that. */
const replaceFolder = async (temp: string, dir: string): Promise<void> => {
  const old = `${temp}-old`;
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
};

const writeFolder: Files["writeFolder"] = (dir, fill) => async () => {
  const temp = temporary(dir);
  const attempt = <B>(f: () => Promise<B>): Promise<E.Either<Failure, B>> => TE.tryCatch(f, unwritable(dir))();
  const prepared = await attempt(async () => {
    await makeFolder(dirname(dir));
    await mkdir(temp);
  });
  if (E.isLeft(prepared)) return prepared;
  const filled = pipe(E.flatten(await attempt(() => fill(temp)())), E.mapLeft(renamed(slashed(temp), dir)));
  const replaced = E.isLeft(filled) ? filled : await attempt(() => replaceFolder(temp, dir));
  if (E.isLeft(replaced)) await attempt(() => rm(temp, { recursive: true, force: true }));
  return E.isLeft(replaced) ? replaced : filled;
};

/** A link stands for what it leads to. */
const entryOf = async (folder: string, entry: Dirent): Promise<Entry> => {
  const linked = entry.isSymbolicLink();
  const found = linked ? await stat(join(folder, entry.name)).catch(() => undefined) : entry;
  return { name: entry.name, kind: found === undefined ? "broken link" : found.isDirectory() ? "folder" : found.isFile() ? "file" : "other" };
};

const list = (path: string): TE.TaskEither<Failure, readonly Entry[]> =>
  TE.tryCatch(async () => {
    const entries = await readdir(path, { withFileTypes: true });
    return Promise.all(entries.map((entry) => entryOf(path, entry)));
  }, unreadable(path));

const absolute = (path: string): string => slashed(resolve(path));

/** The files of the disk. */
export const files: Files = {
  exists: (path) => () =>
    stat(path).then(
      () => true,
      () => false,
    ),
  list,
  read: (path) => TE.tryCatch(() => withFile(path, async (handle) => plain(await handle.readFile())), unreadable(path)),
  open: openFile,
  write,
  writeFolder,
  append,
  lock,
  rename: (from, to) =>
    TE.tryCatch(async () => {
      await rename(from, to);
      await syncFolder(dirname(to));
    }, unwritable(to)),
  remove: (path) => TE.tryCatch(() => rm(path, { recursive: true, force: true }), unwritable(path)),
  unfinished: isTemporary,
  absolute,
  real: (path) => () => realpath(path).then(slashed, () => absolute(path)),
};
