/**
 * The ImageFolder layout: `{train,test}/CLASS/*.jpg`, one folder a class.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, listNames, unreadable } from "../formats/files.ts";
import { basename, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import type { Example } from "./example.ts";
import { filesOf, listedOnce, ownDecoder, readClassNames, readTemplates } from "./source.ts";
import type { SourceOptions } from "./source.ts";
import type { Split, Task } from "./task.ts";

const image = /\.(jpe?g|png|webp)$/i;

/** The same order on every system and in every language: by code unit, as Python's `sorted` for ASCII. */
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The class folders of a split; none where the split is missing. */
const classFolders = (dir: string, files: Files): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(dir, files)),
    TE.chain((there) => (there ? files.list(dir) : TE.right([]))),
    TE.map((entries) => entries.filter((e) => (e.kind === "folder" || e.kind === "link") && !e.name.startsWith(".")).map((e) => e.name)),
  );

const readSplit = (dir: string, folders: readonly string[], files: Files): Split =>
  listedOnce(
    pipe(
      classFolders(dir, files),
      TE.filterOrElse(
        (present) => present.length > 0,
        () => unreadable(dir)("it holds no class folder"),
      ),
      TE.chain((present) =>
        pipe(
          folders.map((name, label) => ({ name, label })).filter(({ name }) => present.includes(name)),
          TE.traverseSeqArray(({ name, label }) =>
            pipe(
              listNames(join(dir, name), files),
              TE.map((names) => names.filter((file) => image.test(file) && !file.startsWith(".")).sort(byCodeUnit)),
              TE.map((names) =>
                names.map((file): Example => {
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
export const imageFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, Task> => {
  const files = filesOf(options);
  return pipe(
    TE.Do,
    TE.bind("names", () => readClassNames(dir, files)),
    TE.bind("templates", () => readTemplates(dir, files)),
    TE.bind("testDir", () =>
      TE.fromTask<string, Failure>(async () => {
        const val = !(await exists(join(dir, "test"), files)) && (await exists(join(dir, "val"), files));
        return join(dir, val ? "val" : "test");
      }),
    ),
    TE.bind("folders", ({ testDir }) =>
      pipe(
        [join(dir, "train"), testDir],
        TE.traverseSeqArray((split) => classFolders(split, files)),
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
            name: basename(files.absolute(dir)),
            classNames,
            templates,
            train: readSplit(join(dir, "train"), folders, files),
            test: readSplit(testDir, folders, files),
            ...ownDecoder(options),
          }),
        ),
      ),
    ),
  );
};
