/** Files in a browser's own storage, the origin private file system. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { renamed } from "../failures.ts";
import type { Files } from "../files.ts";
import { appendTo } from "./append.ts";
import { folderIn, foundIn, nothing, walk } from "./finding.ts";
import type { OwnFile, OwnFolder } from "./handles.ts";
import { type Locks, lockBy } from "./lock.ts";
import { absolute, namesOf } from "./paths.ts";
import { type Finder, reading } from "./reading.ts";
import { makeIn, putFolderIn, putIn, removeIn, renameIn, sweepIn } from "./tree.ts";
import { unwritten } from "./words.ts";

/** The page's own storage: its root, which may be asked for late, and its locks. */
export interface Own {
  readonly root: () => Promise<OwnFolder>;
  readonly locks: () => Locks;
}

/** Files in the storage of a page, without names that are not whole. */
export type OwnFiles = Omit<Files, "unfinished" | "absolute" | "real">;

/** The folder at the end of some names, which is made with those above it. */
const make = async (root: OwnFolder, names: readonly string[]): Promise<OwnFolder> => {
  let at = root;
  for (const name of names) at = await makeIn(at, name);
  return at;
};

/** What is done with a name in a folder, where a path may be written to. Everything that is thrown names the path. */
const writing = ({ root, locks }: Own) => {
  const swept = new Set<string>();
  /** Once is enough: what this tab begins, it ends. */
  const sweepOnce = async (folder: OwnFolder, names: readonly string[]): Promise<void> => {
    const path = names.join("/");
    if (swept.has(path)) return;
    swept.add(path);
    await sweepIn(folder, locks()).catch(() => undefined);
  };
  return <A>(path: string, above: "made" | "there", use: (folder: OwnFolder, name: string) => Promise<A>): TE.TaskEither<Failure, A> =>
    TE.tryCatch(async () => {
      const names = namesOf(path);
      if (names.length === 0) throw new Error("it is the root of all files");
      const [start, rest] = [await root(), names.slice(0, -1)];
      const folder = above === "made" ? await make(start, rest) : await walk(start, rest);
      if (folder === undefined) throw nothing();
      await sweepOnce(folder, rest);
      return await use(folder, names[names.length - 1]);
    }, unwritten(path));
};

const openToWrite = async (folder: OwnFolder, name: string): Promise<OwnFile> => {
  if ((await folderIn(folder, name)) !== undefined) throw new Error("it is a folder");
  return await folder.getFileHandle(name, { create: true });
};

/** Files in the storage of a page. */
export const ownFiles = (own: Own): OwnFiles => {
  const { root, locks } = own;
  const at = writing(own);
  const find: Finder = async (path) => foundIn(await root(), namesOf(path));
  return {
    ...reading(find),
    write: (path, chunks) =>
      at(path, "made", async (folder, name) => {
        if ((await folderIn(folder, name)) !== undefined) throw new Error("it is a folder");
        await putIn(folder, name, locks(), chunks);
      }),
    writeFolder: (path, fill) =>
      pipe(
        at(path, "made", (folder, name) =>
          putFolderIn(folder, name, locks(), async (temporary) => {
            const beside = absolute(`${absolute(path)}/../${temporary}`);
            return pipe(await fill(beside)(), E.mapLeft(renamed(beside, path)));
          }),
        ),
        TE.chainEitherK((filled) => filled),
      ),
    append: (path, from = 0) => at(path, "there", async (folder, name) => await appendTo(path, await openToWrite(folder, name), from)),
    rename: (from, to) => at(to, "there", (folder, name) => renameIn(folder, namesOf(from).slice(-1)[0], name, locks())),
    remove: (path) =>
      pipe(
        TE.fromTask<boolean, Failure>(reading(find).exists(path)),
        TE.chain((there) => (there ? at(path, "there", removeIn) : TE.right(undefined))),
      ),
    lock: (folder) =>
      pipe(
        TE.tryCatch(async () => void (await make(await root(), namesOf(folder))), unwritten(folder)),
        TE.chain(() => lockBy(locks, folder, absolute(folder))),
      ),
  };
};
