/**
 * The ImageFolder layout: `{train,test}/CLASS/*.jpg`, one folder a class.
 */
import { readdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, unreadable } from "../formats/files.ts";
import type { Example } from "./example.ts";
import { listedOnce, ownDecoder, readClassNames, readTemplates } from "./source.ts";
import type { SourceOptions } from "./source.ts";
import type { Split, Task } from "./task.ts";

const image = /\.(jpe?g|png|webp)$/i;

/** The same order on every system and in every language: by code unit, as Python's `sorted` for ASCII. */
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The class folders of a split; none where the split is missing. */
const classFolders = (dir: string): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(dir)),
    TE.chain((there) => (there ? TE.tryCatch(() => readdir(dir, { withFileTypes: true }), unreadable(dir)) : TE.right([]))),
    TE.map((entries) => entries.filter((e) => (e.isDirectory() || e.isSymbolicLink()) && !e.name.startsWith(".")).map((e) => e.name)),
  );

const readSplit = (dir: string, folders: readonly string[]): Split =>
  listedOnce(
    pipe(
      classFolders(dir),
      TE.filterOrElse(
        (present) => present.length > 0,
        () => unreadable(dir)("it holds no class folder"),
      ),
      TE.chain((present) =>
        pipe(
          folders.map((name, label) => ({ name, label })).filter(({ name }) => present.includes(name)),
          TE.traverseSeqArray(({ name, label }) =>
            pipe(
              TE.tryCatch(() => readdir(join(dir, name)), unreadable(join(dir, name))),
              TE.map((files) => files.filter((file) => image.test(file) && !file.startsWith(".")).sort(byCodeUnit)),
              TE.map((files) =>
                files.map((file): Example => {
                  const path = join(dir, name, file);
                  return { id: path, label, image: { kind: "file", path } };
                }),
              ),
            ),
          ),
        ),
      ),
      TE.map((lists) => lists.flat()),
    ),
  );

/** The class folders in the order of their labels, and their names for people. */
interface Classes {
  readonly folders: readonly string[];
  readonly classNames: readonly string[];
}

/**
 * Where `classnames.txt` lists the folders, its order is that of the labels; where it has as many other names, they rename the sorted
 * folders; anything else is a contradiction.
 */
const nameFolders = (dir: string, folders: readonly string[], names: readonly string[] | undefined): E.Either<Failure, Classes> => {
  if (names === undefined) return E.right({ folders, classNames: folders });
  if (folders.every((folder) => names.includes(folder))) return E.right({ folders: names, classNames: names });
  if (names.length === folders.length) return E.right({ folders, classNames: names });
  return E.left(corrupt(join(dir, "classnames.txt"), `it names ${names.length} classes and there are ${folders.length} class folders`));
};

/**
 * A folder in the ImageFolder layout as a task named after it; its classes are the sorted folder names of both splits, or those of
 * `classnames.txt`. `val` stands in for a missing `test`. Files are listed when a split is first walked, read when decoded.
 */
export const imageFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, Task> =>
  pipe(
    TE.Do,
    TE.bind("names", () => readClassNames(dir)),
    TE.bind("templates", () => readTemplates(dir)),
    TE.bind("testDir", () =>
      TE.fromTask<string, Failure>(async () => {
        const val = !(await exists(join(dir, "test"))) && (await exists(join(dir, "val")));
        return join(dir, val ? "val" : "test");
      }),
    ),
    TE.bind("folders", ({ testDir }) =>
      pipe(
        [join(dir, "train"), testDir],
        TE.traverseSeqArray(classFolders),
        TE.map((both) => [...new Set(both.flat())].sort(byCodeUnit)),
        TE.filterOrElse(
          (folders) => folders.length > 0,
          () => unreadable(dir)("neither train nor test holds a class folder"),
        ),
      ),
    ),
    TE.chainEitherK(({ names, templates, folders: found, testDir }) =>
      pipe(
        nameFolders(dir, found, names),
        E.map(
          ({ folders, classNames }): Task => ({
            name: basename(resolve(dir)),
            classNames,
            templates,
            train: readSplit(join(dir, "train"), folders),
            test: readSplit(testDir, folders),
            ...ownDecoder(options),
          }),
        ),
      ),
    ),
  );
