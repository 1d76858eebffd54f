/** Files for a browser's tab: its own storage, what a person has picked, and what servers have, each by its paths. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { unwritable } from "../failures.ts";
import type { Files } from "../files.ts";
import { isTemporary } from "../temporary.ts";
import type { OwnFolder } from "./handles.ts";
import type { Locks } from "./lock.ts";
import { mounted, type Mounted } from "./mounted.ts";
import { type Own, ownFiles, type OwnFiles } from "./own.ts";
import { absolute, placeOf, type Place } from "./paths.ts";
import { reading, type Finder } from "./reading.ts";
import { fileAt, isAt } from "./url.ts";

const fromUrl: Finder = (path) => fileAt(absolute(path));

/** Files that are read and never written; `why` ends the sentence that says so. */
const readOnly = (find: Finder, why: string): OwnFiles => {
  const refused = (path: string) => TE.left(unwritable(path)(`${why}; name a path in the browser's own storage`));
  return { ...reading(find), write: refused, writeFolder: refused, append: refused, rename: (_, to) => refused(to), remove: refused, lock: refused };
};

const urls: OwnFiles = {
  ...readOnly(fromUrl, "what a server has is read and not written"),
  exists: (path) => () => isAt(absolute(path)),
  list: (path) => TE.left({ _tag: "FileUnreadable", path, detail: "a server does not say what stands in a folder; name its files, or pick a folder" }),
};

/** Files over a storage of a page's own, and what gives a path to what is picked. */
export const filesOf = (own: Own): Pick<Mounted, "mount"> & { readonly files: Files } => {
  const { mount, find } = mounted();
  const places: Readonly<Record<Place, OwnFiles>> = {
    own: ownFiles(own),
    mounted: readOnly(find, "what was picked is read and not written"),
    url: urls,
  };
  const at = (path: string): OwnFiles => places[placeOf(path)];
  const files: Files = {
    exists: (path) => at(path).exists(path),
    list: (path) => at(path).list(path),
    read: (path) => at(path).read(path),
    open: (path, use) => at(path).open(path, use),
    write: (path, chunks) => at(path).write(path, chunks),
    writeFolder: (path, fill) => at(path).writeFolder(path, fill),
    append: (path, from) => at(path).append(path, from),
    rename: (from, to) => at(to).rename(from, to),
    remove: (path) => at(path).remove(path),
    lock: (folder) => at(folder).lock(folder),
    unfinished: isTemporary,
    absolute,
    // There are no links.
    real: (path) => async () => absolute(path),
  };
  return { files, mount };
};

/** What is asked of a browser's `navigator`. */
interface Navigator {
  readonly storage?: { readonly getDirectory?: () => Promise<OwnFolder> };
  readonly locks?: Locks;
}

const browser = (): Navigator => (globalThis as { readonly navigator?: unknown }).navigator ?? {};

const insecure = "the browser keeps no files for this page; serve it from https or from localhost";

/** The files of a browser's tab. */
export const { files, mount } = filesOf({
  root: async () => {
    const { storage } = browser();
    if (storage?.getDirectory === undefined) throw new Error(insecure);
    return await storage.getDirectory();
  },
  locks: () => {
    const { locks } = browser();
    if (locks === undefined) throw new Error(insecure);
    return locks;
  },
});
