/**
 * The folders of a browser's own storage.
 *
 * Browsers give a file another name in one step, and no folder. So a folder that appears as one stays under its temporary name, and a file says so:
 * `.NAME.whole` holds the name of the folder that has what `NAME` is to have. Whoever looks for `NAME` finds that, before a plain folder or a file of this
 * name. A folder that was cut off is one that no file names.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Entry } from "../files.ts";
import type { PickedEntry, PickedFolder } from "../mount.ts";
import { isTemporary, temporaryName } from "../temporary.ts";
import { chunksOf, fill } from "./fill.ts";
import type { OwnFile, OwnFolder } from "./handles.ts";
import { type Locks, unlessWritten, whileWritten } from "./lock.ts";
import { isMissing, isOtherKind } from "./words.ts";

/** The name of the file that says which folder has what `name` is to have. */
const pointerOf = (name: string): string => `.${name}.whole`;

/** What a pending look-up gives; undefined where nothing has this name, or something of another kind. */
const ifThere = <A>(pending: Promise<A>): Promise<A | undefined> =>
  pending.catch((error) => {
    if (isMissing(error) || isOtherKind(error)) return undefined;
    throw error;
  });

/** The folder that a pointer names; undefined where there is no pointer. */
const pointed = async (folder: OwnFolder, name: string): Promise<string | undefined> => {
  const file = await ifThere(folder.getFileHandle(pointerOf(name)));
  if (file === undefined) return undefined;
  const found = await file.getFile();
  const text = new TextDecoder().decode(await found.slice().arrayBuffer());
  return isTemporary(text) ? text : undefined;
};

/** The folder that another one holds under a name; undefined where it holds none. */
export const folderIn = async (folder: OwnFolder, name: string, tries = 3): Promise<OwnFolder | undefined> => {
  const [stored, plain] = await Promise.all([pointed(folder, name), ifThere(folder.getDirectoryHandle(name))]);
  if (stored === undefined) return plain;
  const whole = await ifThere(folder.getDirectoryHandle(stored));
  // Another tab may have put another folder in its place just now.
  return whole === undefined && tries > 1 ? await folderIn(folder, name, tries - 1) : whole;
};

/** What a folder holds under a name, of either kind; undefined where it holds nothing. */
export const standingIn = async (folder: OwnFolder, name: string): Promise<{ readonly folder: OwnFolder } | { readonly file: OwnFile } | undefined> => {
  const [below, file] = await Promise.all([folderIn(folder, name), ifThere(folder.getFileHandle(name))]);
  if (below !== undefined) return { folder: below };
  return file === undefined ? undefined : { file };
};

/** The folder that another one holds under a name, which is made where it is missing. */
export const makeIn = async (folder: OwnFolder, name: string): Promise<OwnFolder> =>
  (await folderIn(folder, name)) ?? (await folder.getDirectoryHandle(name, { create: true }));

/** What stands in a folder by its own names, and which folders of it pointers name: by the names that they are to have. */
const read = async (folder: OwnFolder): Promise<{ readonly all: readonly PickedEntry[]; readonly whole: ReadonlyMap<string, string> }> => {
  const all: PickedEntry[] = [];
  for await (const { name, kind } of folder.values()) all.push({ name, kind });
  const whole = new Map<string, string>();
  for (const { name, kind } of all) {
    const [, target] = (kind === "file" && /^\.(.+)\.whole$/.exec(name)) || [];
    const stored = target === undefined ? undefined : await pointed(folder, target);
    if (target !== undefined && stored !== undefined) whole.set(target, stored);
  }
  return { all, whole };
};

/** What stands in a folder: the folders that pointers name, under the names that they are to have. */
export const listIn = async (folder: OwnFolder): Promise<readonly Entry[]> => {
  const { all, whole } = await read(folder);
  const hidden = new Set([...whole].flatMap(([name, stored]) => [name, stored, pointerOf(name)]));
  const plain = all.filter(({ name }) => !hidden.has(name)).map(({ name, kind }): Entry => ({ name, kind: kind === "file" ? "file" : "folder" }));
  return [...plain, ...[...whole.keys()].map((name): Entry => ({ name, kind: "folder" }))];
};

/** Writes a file in a folder, whole or not at all. */
export const putIn = async (folder: OwnFolder, name: string, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> => {
  const temporary = temporaryName(name);
  try {
    const file = await folder.getFileHandle(temporary, { create: true });
    await fill(file, chunks);
    await file.move(name);
  } catch (error) {
    await folder.removeEntry(temporary).catch(() => undefined);
    throw error;
  }
};

const dropIn = (folder: OwnFolder, name: string): Promise<void> =>
  folder.removeEntry(name, { recursive: true }).catch((error) => {
    if (!isMissing(error)) throw error;
  });

/** Removes what a folder holds under a name; a pointer goes before what it names, and after what it hides. */
export const removeIn = async (folder: OwnFolder, name: string): Promise<void> => {
  const stored = await pointed(folder, name);
  await dropIn(folder, name);
  if (stored === undefined) return;
  await dropIn(folder, pointerOf(name));
  await dropIn(folder, stored);
};

/** Lets a folder that is whole be found under a name, in one step, and removes what had this name before. */
export const pointIn = async (folder: OwnFolder, name: string, stored: string): Promise<void> => {
  const before = await pointed(folder, name);
  await putIn(folder, pointerOf(name), [new TextEncoder().encode(stored)]);
  // From here on the new one is there: what cannot be removed is hidden, and does not make a failure of it.
  for (const old of [name, ...(before === undefined ? [] : [before])]) await dropIn(folder, old).catch(() => undefined);
};

/** Copies what stands in a folder into another one. */
const copyInto = async (from: PickedFolder, to: OwnFolder): Promise<void> => {
  for await (const { name, kind } of from.values()) {
    if (kind === "directory") await copyInto(await from.getDirectoryHandle(name), await to.getDirectoryHandle(name, { create: true }));
    else await fill(await to.getFileHandle(name, { create: true }), chunksOf(await (await from.getFileHandle(name)).getFile()));
  }
};

/** Removes what is left of folders that were not whole when their tab was closed, or that could not be removed then. */
const sweepIn = async (folder: OwnFolder, locks: Locks): Promise<void> => {
  const isCutOff = async (name: string): Promise<boolean> => ![...(await read(folder)).whole.values()].includes(name);
  for (const { name, kind } of (await read(folder)).all) {
    if (kind !== "directory" || !isTemporary(name)) continue;
    // It is looked at while nobody else can make it whole.
    await unlessWritten(locks, name, async () => ((await isCutOff(name)) ? await dropIn(folder, name) : undefined));
  }
};

/** Writes a folder as one: what `make` makes under a temporary name is found under its own when `make` succeeds, and removed where it fails or throws. */
export const putFolderIn = async <L, A>(
  folder: OwnFolder,
  name: string,
  locks: Locks,
  make: (temporary: string) => Promise<E.Either<L, A>>,
): Promise<E.Either<L, A>> => {
  await sweepIn(folder, locks).catch(() => undefined);
  const temporary = temporaryName(name);
  return await whileWritten(locks, temporary, async () => {
    let whole = false;
    try {
      await folder.getDirectoryHandle(temporary, { create: true });
      const made = await make(temporary);
      if (E.isRight(made)) await pointIn(folder, name, temporary);
      whole = E.isRight(made);
      return made;
    } finally {
      if (!whole) await dropIn(folder, temporary).catch(() => undefined);
    }
  });
};

/** Gives what a folder holds another name, in one step for whoever looks: a folder that no pointer names is copied first. */
export const renameIn = async (folder: OwnFolder, from: string, to: string, locks: Locks): Promise<void> => {
  const [stored, plain] = [await pointed(folder, from), await ifThere(folder.getDirectoryHandle(from))];
  const there = await folderIn(folder, to);
  if (stored === undefined && plain === undefined) {
    if (there !== undefined) throw new Error("it is a folder");
    await (await folder.getFileHandle(from)).move(to);
    return;
  }
  if ((there === undefined ? await ifThere(folder.getFileHandle(to)) : (await listIn(there))[0]) !== undefined) throw new Error("something is there already");
  if (stored !== undefined) {
    // What stood under the old name before the folder did is not to appear again.
    await dropIn(folder, from);
    if (there !== undefined) await removeIn(folder, to);
    await whileWritten(locks, stored, async () => await (await folder.getFileHandle(pointerOf(from))).move(pointerOf(to)));
    return;
  }
  await putFolderIn(folder, to, locks, async (temporary) => E.right(await copyInto(plain!, await folder.getDirectoryHandle(temporary))));
  await dropIn(folder, from);
};
