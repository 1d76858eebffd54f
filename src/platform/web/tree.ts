/** Changes in the folders of a browser's own storage, each in one step for whoever looks; `finding.ts` says how. */
import * as E from "fp-ts/lib/Either.js";
import type { PickedFolder } from "../mount.ts";
import { isTemporary, temporaryName } from "../temporary.ts";
import { chunksOf, fill } from "./fill.ts";
import { folderIn, ifThere, listIn, pointed, pointerOf, readIn } from "./finding.ts";
import type { OwnFolder } from "./handles.ts";
import { type Locks, unlessWritten, whileWritten } from "./lock.ts";
import { isMissing } from "./words.ts";

/** The folder that another one holds under a name, which is made where it is missing. */
export const makeIn = async (folder: OwnFolder, name: string): Promise<OwnFolder> =>
  (await folderIn(folder, name)) ?? (await folder.getDirectoryHandle(name, { create: true }));

/** Writes a file in a folder, whole or not at all. */
export const putIn = (folder: OwnFolder, name: string, locks: Locks, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> => {
  const temporary = temporaryName(name);
  return whileWritten(locks, temporary, async () => {
    try {
      const file = await folder.getFileHandle(temporary, { create: true });
      await fill(file, chunks);
      await file.move(folder, name);
    } catch (error) {
      await folder.removeEntry(temporary).catch(() => undefined);
      throw error;
    }
  });
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
export const pointIn = async (folder: OwnFolder, name: string, locks: Locks, stored: string): Promise<void> => {
  const before = await pointed(folder, name);
  await putIn(folder, pointerOf(name), locks, [new TextEncoder().encode(stored)]);
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

/** Removes what is left in a folder of what was not whole when its tab was closed, or could not be removed then. */
export const sweepIn = async (folder: OwnFolder, locks: Locks): Promise<void> => {
  const isCutOff = async (name: string): Promise<boolean> => ![...(await readIn(folder)).whole.values()].includes(name);
  for (const { name } of (await readIn(folder)).all) {
    if (!isTemporary(name)) continue;
    // It is looked at while nobody else can make it whole.
    await unlessWritten(locks, name.replace(/\.crswap$/, ""), async () => ((await isCutOff(name)) ? await dropIn(folder, name) : undefined));
  }
};

/** Writes a folder as one: what `make` makes under a temporary name is found under its own when `make` succeeds, and removed where it fails or throws. */
export const putFolderIn = async <L, A>(
  folder: OwnFolder,
  name: string,
  locks: Locks,
  make: (temporary: string) => Promise<E.Either<L, A>>,
): Promise<E.Either<L, A>> => {
  // A folder that is not whole yet, and that somebody else looks after, is filled as it is.
  if (isTemporary(name)) {
    await folder.getDirectoryHandle(name, { create: true });
    return await make(name);
  }
  const temporary = temporaryName(name);
  return whileWritten(locks, temporary, async () => {
    let whole = false;
    try {
      await folder.getDirectoryHandle(temporary, { create: true });
      const made = await make(temporary);
      if (E.isRight(made)) await pointIn(folder, name, locks, temporary);
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
    await (await folder.getFileHandle(from)).move(folder, to);
    return;
  }
  if ((there === undefined ? await ifThere(folder.getFileHandle(to)) : (await listIn(there))[0]) !== undefined) throw new Error("something is there already");
  if (stored !== undefined) {
    // What stood under the old name before the folder did is not to appear again.
    await dropIn(folder, from);
    if (there !== undefined) await removeIn(folder, to);
    await whileWritten(locks, stored, async () => await (await folder.getFileHandle(pointerOf(from))).move(folder, pointerOf(to)));
    return;
  }
  await putFolderIn(folder, to, locks, async (temporary) => E.right(await copyInto(plain!, await folder.getDirectoryHandle(temporary))));
  await dropIn(folder, from);
};
