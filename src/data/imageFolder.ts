/**
 * The ImageFolder layout: `{train,test}/CLASS/*.jpg`, one folder a class; or `CLASS/*.jpg`, from which splits are drawn.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { basename, join } from "../formats/path.ts";
import { byCodeUnit, listClassFolders, type ClassFolder, type ClassFolders } from "./classFolders.ts";
import { drawnSplits } from "./drawnSplit.ts";
import type { Example } from "./example.ts";
import { leftOut, someOf } from "./leftOut.ts";
import { pairClasses, sameOnDisks, type Pairing } from "./pairClasses.ts";
import { filesOf, ownDecoder, readClassNames, readTemplates, splitFolders, splitsOf, type Listing, type SourceOptions } from "./source.ts";
import type { ClassTask } from "./task.ts";

/** The classes that have a picture in some split, and those that have none, sorted. */
const classesOf = (splits: readonly ClassFolders[]): { readonly filled: readonly string[]; readonly empty: readonly string[] } => {
  const folders = splits.flatMap((split) => split.folders);
  const filled = new Set(folders.filter(({ pictures }) => pictures.length > 0).map(({ name }) => sameOnDisks(name)));
  const empty = new Set(folders.map(({ name }) => sameOnDisks(name)).filter((name) => !filled.has(name)));
  return { filled: [...filled].sort(byCodeUnit), empty: [...empty].sort(byCodeUnit) };
};

/** What says that classes have no picture, with what stands in their folders instead. */
const noPicture = (dir: string, splits: readonly ClassFolders[], empty: readonly string[]): Failure => {
  const folders = splits.flatMap((split) => split.folders).filter(({ name }) => empty.includes(sameOnDisks(name)));
  const words = leftOut(folders.flatMap((folder) => folder.passedOver)).words();
  const found = words === undefined ? "" : `, but ${words}`;
  return unreadable(dir)(`there is no picture in the class folders ${someOf(empty)}${found}; remove them, or name the other classes in classnames.txt`);
};

/**
 * The classes of a dataset: its folders, or the names of `classnames.txt`. A folder without pictures is a class where a name says so, is left out where names
 * do without it, and is a failure where there are no names.
 */
const pairingOf = (dir: string, splits: readonly ClassFolders[], names: readonly string[] | undefined): E.Either<Failure, Pairing> => {
  const { filled, empty } = classesOf(splits);
  if (filled.length + empty.length === 0) return E.left(unreadable(dir)("neither train nor test holds a class folder"));
  if (names === undefined) {
    if (empty.length > 0) return E.left(noPicture(dir, splits, empty));
    return E.right({ classNames: filled, labels: new Map(filled.map((name, label) => [name, label])), notes: [] });
  }
  const path = join(dir, "classnames.txt");
  const all = pairClasses(path, [...filled, ...empty].sort(byCodeUnit), names);
  if (empty.length === 0 || E.isRight(all)) return all;
  return pipe(
    pairClasses(path, filled, names),
    E.map((pairing) => ({ ...pairing, notes: [...pairing.notes, `left out folders without pictures: ${someOf(empty)}`] })),
  );
};

/** The examples of a split in the order of their labels, and what was left out of it. */
const listingOf = (dir: string, { folders, passedOver }: ClassFolders, { labels, notes }: Pairing): TE.TaskEither<Failure, Listing> => {
  if (folders.length === 0) return TE.left(unreadable(dir)("it holds no class folder"));
  const labelled = folders.flatMap((folder): readonly (ClassFolder & { readonly label: number })[] => {
    const label = labels.get(sameOnDisks(folder.name));
    return label === undefined ? [] : [{ ...folder, label }];
  });
  const examples = labelled
    .sort((a, b) => a.label - b.label)
    .flatMap(({ name, pictures, label }) =>
      pictures.map((file): Example => {
        const path = join(dir, name, file);
        return { id: path, label, image: { kind: "file", path } };
      }),
    );
  const words = leftOut([...passedOver, ...labelled.flatMap((folder) => folder.passedOver)]).words();
  if (examples.length === 0 && words !== undefined) return TE.left(unreadable(dir)(`it holds no picture, but ${words}`));
  return TE.right({ examples, notes: [...notes, ...(words === undefined ? [] : [`left out ${words}`])] });
};

/** What tasks of both layouts share. */
const described = (dir: string, options: SourceOptions, { classNames }: Pairing, templates: readonly string[]): Omit<ClassTask, "train" | "test"> => ({
  name: basename(filesOf(options).absolute(dir)),
  classNames,
  templates,
  ...ownDecoder(options),
});

/** A task of class folders alone, whose splits are drawn. */
const flatFolder = (
  dir: string,
  share: number,
  names: readonly string[] | undefined,
  templates: readonly string[],
  options: SourceOptions,
): TE.TaskEither<Failure, ClassTask> =>
  pipe(
    listClassFolders(dir, filesOf(options)),
    TE.bindTo("found"),
    TE.bind("pairing", ({ found }) => TE.fromEither(pairingOf(dir, [found], names))),
    TE.bind("listing", ({ found, pairing }) => listingOf(dir, found, pairing)),
    TE.map(({ pairing, listing: { examples, notes } }): ClassTask => {
      const task = described(dir, options, pairing, templates);
      const drawn = `${Math.round(100 * share)} % of its ${examples.length} pictures are drawn for training, the others are for testing`;
      const said = share === 0 ? { train: async () => [], test: async () => notes } : { train: async () => [...notes, drawn], test: async () => [] };
      return { ...task, ...drawnSplits(task.name, TE.right(examples), share), notes: said };
    }),
  );

/**
 * A folder in the ImageFolder layout as a task named after it; its classes are the sorted folder names of both splits, or those of
 * `classnames.txt`. `val` stands in for a missing `test`. Where there is no split and the option `split` is given, both are drawn, or all is for
 * testing. Folders are listed at once, files are read when an example is decoded; what is left out is in the task's notes.
 */
export const imageFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, ClassTask> => {
  const files = filesOf(options);
  const { split: share } = options;
  if (share !== undefined && share !== "test" && !(share > 0 && share < 1))
    return TE.left({ _tag: "BadOption", option: "split", detail: `${share} is not between 0 and 1` });
  return pipe(
    TE.Do,
    TE.bind("names", () => readClassNames(dir, files)),
    TE.bind("templates", () => readTemplates(dir, files)),
    TE.bind("where", () => splitFolders(dir, files)),
    TE.chain(({ names, templates, where: { train, test, flat, beside } }) =>
      flat && share !== undefined
        ? flatFolder(dir, share === "test" ? 0 : share, names, templates, options)
        : pipe(
            [train, test],
            TE.traverseSeqArray((split) => listClassFolders(split, files)),
            TE.bindTo("splits"),
            TE.bind("pairing", ({ splits }) => TE.fromEither(pairingOf(dir, splits, names))),
            TE.map(({ splits, pairing }): ClassTask => {
              const listed = splitsOf(
                listingOf(train, splits[0], pairing),
                listingOf(test, { ...splits[1], passedOver: [...beside, ...splits[1].passedOver] }, pairing),
              );
              return { ...described(dir, options, pairing, templates), ...listed };
            }),
          ),
    ),
  );
};
