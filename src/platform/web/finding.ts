/**
 * Finds what stands in the folders of a browser, its own and those that were picked.
 *
 * Browsers give a file another name in one step, and no folder. So a folder that appears as one stays under its temporary name, and a file says so:
 * `.NAME.whole` holds the name of the folder that has what `NAME` is to have. Whoever looks for `NAME` finds that, before a plain folder or a file of this
 * name. A folder that was cut off is one that no file names.
 */
import type { Entry } from "../files.ts";
import type { PickedEntry, PickedFile, PickedFolder } from "../mount.ts";
import { isTemporary } from "../temporary.ts";
import type { Found } from "./reading.ts";
import { isMissing, isOtherKind } from "./words.ts";

/** A folder without what is below its own. */
type Flat = Omit<PickedFolder, "getDirectoryHandle">;

/** A folder whose folders are of its own type. */
type Folder<F> = Flat & { getDirectoryHandle(name: string): Promise<F> };

/** The name of the file that says which folder has what `name` is to have. */
export const pointerOf = (name: string): string => `.${name}.whole`;

/** What a pending look-up gives; undefined where nothing has this name, or something of another kind. */
export const ifThere = <A>(pending: Promise<A>): Promise<A | undefined> =>
  pending.catch((error) => {
    if (isMissing(error) || isOtherKind(error)) return undefined;
    throw error;
  });

/** How often it is looked again where another tab replaces what is looked at. */
const looks = 3;

/** The folder that a pointer names; undefined where there is no pointer. */
export const pointed = async (folder: Flat, name: string, more = looks): Promise<string | undefined> => {
  const file = await ifThere(folder.getFileHandle(pointerOf(name)));
  if (file === undefined) return undefined;
  try {
    const found = await file.getFile();
    const text = new TextDecoder().decode(await found.slice().arrayBuffer());
    return isTemporary(text) ? text : undefined;
  } catch (error) {
    if (more === 0) throw error;
    return await pointed(folder, name, more - 1);
  }
};

/** The folder that another one holds under a name; undefined where it holds none. */
export const folderIn = async <F extends Folder<F>>(folder: F, name: string, more = looks): Promise<F | undefined> => {
  const [stored, plain] = await Promise.all([pointed(folder, name), ifThere(folder.getDirectoryHandle(name))]);
  if (stored === undefined) return plain;
  const whole = await ifThere(folder.getDirectoryHandle(stored));
  return whole === undefined && more > 0 ? await folderIn(folder, name, more - 1) : whole;
};

/** What stands in a folder under a name. */
type Standing<F> = { readonly folder: F } | { readonly file: { getFile(): Promise<PickedFile> } };

/** What a folder holds under a name, of either kind; undefined where it holds nothing. */
const standingIn = async <F extends Folder<F>>(folder: F, name: string): Promise<Standing<F> | undefined> => {
  const [below, file] = await Promise.all([folderIn(folder, name), ifThere(folder.getFileHandle(name))]);
  if (below !== undefined) return { folder: below };
  return file === undefined ? undefined : { file };
};

/** What stands in a folder by its own names, and which folders of it pointers name: by the names that they are to have. */
export const readIn = async (folder: Flat): Promise<{ readonly all: readonly PickedEntry[]; readonly whole: ReadonlyMap<string, string> }> => {
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
export const listIn = async (folder: Flat): Promise<readonly Entry[]> => {
  const { all, whole } = await readIn(folder);
  const hidden = new Set([...whole].flatMap(([name, stored]) => [name, stored, pointerOf(name)]));
  const plain = all.filter(({ name }) => !hidden.has(name)).map(({ name, kind }): Entry => ({ name, kind: kind === "file" ? "file" : "folder" }));
  return [...plain, ...[...whole.keys()].map((name): Entry => ({ name, kind: "folder" }))];
};

/** What is said where nothing stands at a path. */
export const nothing = (): Error => new Error("no such file or directory");

/** What stands in a folder that another one holds. Where it is replaced meanwhile what was listed may be what was left of it, and is listed again. */
const listBelow = async <F extends Folder<F>>(above: F, name: string, more = looks): Promise<readonly Entry[]> => {
  const before = await pointed(above, name);
  const folder = await folderIn(above, name);
  if (folder === undefined) throw nothing();
  const entries = await listIn(folder);
  const replaced = before !== undefined && before !== (await pointed(above, name));
  return replaced && more > 0 ? await listBelow(above, name, more - 1) : entries;
};

/** The folder at the end of some names; undefined where there is none. */
export const walk = async <F extends Folder<F>>(root: F, names: readonly string[]): Promise<F | undefined> => {
  let at: F | undefined = root;
  for (const name of names) if (at !== undefined) at = await folderIn(at, name);
  return at;
};

/** What stands below a folder at the end of some names. Throws where nothing does. */
export const foundIn = async <F extends Folder<F>>(root: F, names: readonly string[]): Promise<Found> => {
  const last = names.at(-1);
  if (last === undefined) return { kind: "folder", list: () => listIn(root) };
  const above = await walk(root, names.slice(0, -1));
  const standing = above && (await standingIn(above, last));
  if (above === undefined || standing === undefined) throw nothing();
  if ("file" in standing) return { kind: "file", file: await standing.file.getFile() };
  return { kind: "folder", list: () => listBelow(above, last) };
};
