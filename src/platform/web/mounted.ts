/** Folders that a person has picked, or files that were, under names of their own: they are read and never written. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import type { Entry } from "../files.ts";
import type { FolderSource, PickedFile, PickedFolder } from "../mount.ts";
import { foundIn, nothing } from "./finding.ts";
import { mountedFolder, namesOf } from "./paths.ts";
import type { Finder, Found } from "./reading.ts";

/** A folder of files that were picked one by one: what stands in it, by name. */
type Branch = Map<string, Branch | PickedFile>;

const isFolder = (source: FolderSource): source is PickedFolder => "getDirectoryHandle" in source;

/** Puts a file where its path says; one that comes later replaces what is there. The name of the picked folder itself is left out. */
const plant = (root: Branch, file: PickedFile): void => {
  const names = [...namesOf(file.webkitRelativePath ?? "").slice(1)];
  const name = names.pop() ?? file.name;
  let at = root;
  for (const folder of names) {
    const there = at.get(folder);
    const next: Branch = there instanceof Map ? there : new Map();
    at.set(folder, next);
    at = next;
  }
  at.set(name, file);
};

const branchOf = (files: Iterable<PickedFile>): Branch => {
  const root: Branch = new Map();
  for (const file of files) plant(root, file);
  return root;
};

const foundAmong = (root: Branch, names: readonly string[]): Found => {
  let at: Branch | PickedFile | undefined = root;
  for (const name of names) at = at instanceof Map ? at.get(name) : undefined;
  if (at === undefined) throw nothing();
  if (!(at instanceof Map)) return { kind: "file", file: at };
  const entries = [...at].map(([name, value]): Entry => ({ name, kind: value instanceof Map ? "folder" : "file" }));
  return { kind: "folder", list: async () => entries };
};

/** What was picked, by name. */
export interface Mounted {
  readonly mount: (name: string, source: FolderSource) => TE.TaskEither<Failure, string>;
  readonly find: Finder;
}

/** A place for what is picked: empty at first. */
export const mounted = (): Mounted => {
  const sources = new Map<string, PickedFolder | Branch>();
  return {
    mount: (name, source) => {
      if (name === "" || namesOf(name)[0] !== name)
        return TE.left({ _tag: "BadOption", option: "name", detail: `"${name}" is no name of a folder; leave out / and do not call it . or ..` });
      return TE.fromEither(
        E.tryCatch(
          () => {
            sources.set(name, isFolder(source) ? source : branchOf(source));
            return `/${mountedFolder}/${name}`;
          },
          (error): Failure => ({ _tag: "BadOption", option: "source", detail: String(error) }),
        ),
      );
    },
    find: async (path) => {
      const [, name, ...names] = namesOf(path);
      if (name === undefined) return { kind: "folder", list: async () => [...sources.keys()].map((one): Entry => ({ name: one, kind: "folder" })) };
      const source = sources.get(name);
      if (source === undefined) throw new Error("nothing of this name is picked; pick it again");
      return source instanceof Map ? foundAmong(source, names) : await foundIn(source, names);
    },
  };
};
