/** What the classes of a Parquet dataset are called, and which of them the value of a row is. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { exists, readText, unreadable } from "../formats/files.ts";
import { parseJson } from "../formats/json.ts";
import { readParquetColumn, type ParquetColumn, type ParquetFile } from "../formats/parquet.ts";
import { basename, dirname, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { byCodeUnit } from "./classFolders.ts";
import { someOf } from "./leftOut.ts";
import { namesAlike, pairClasses, sameOnDisks } from "./pairClasses.ts";
import type { Columns } from "./parquetColumns.ts";
import { readmeClasses } from "./readmeClasses.ts";

/** Files of a dataset with their footers, and what is read of them. */
export interface ParquetDataset {
  readonly train: readonly ParquetFile[];
  readonly test: readonly ParquetFile[];
  readonly columns: Columns;
  /** The configuration that they are of, where it has a name. */
  readonly config: string | undefined;
}

/** The classes of a dataset. */
export interface ParquetClasses {
  readonly classNames: readonly string[];
  /** The label of a value in the column of a file; on the left what is wrong with the value. */
  readonly labelOf: (file: ParquetFile) => (value: unknown) => E.Either<string, number>;
  readonly notes: readonly string[];
}

/** The text of the README.md of a dataset, which may stand above the folder of a configuration; empty where there is none. */
const readmeOf = (dir: string, files: Files): TE.TaskEither<Failure, string> => {
  const here = [join(dir, "README.md"), join(dirname(files.absolute(dir)), "README.md")];
  return pipe(
    TE.fromTask<readonly boolean[], Failure>(() => Promise.all(here.map((path) => exists(path, files)))),
    TE.chain((there) => (there.includes(true) ? readText(here[there.indexOf(true)], files) : TE.right(""))),
  );
};

const Huggingface = t.type({ info: t.type({ features: t.UnknownRecord }) });
const ClassLabel = t.type({ names: t.array(t.string) });

/** The names of a column's classes that the writer of a file has put into it; undefined where there are none. */
const writtenClasses = ({ notes }: ParquetFile, column: string): readonly string[] | undefined => {
  const json = parseJson(notes.get("huggingface") ?? "");
  const decoded = Huggingface.decode(E.isLeft(json) ? undefined : json.right);
  if (E.isLeft(decoded)) return undefined;
  const feature = ClassLabel.decode(decoded.right.info.features[column]);
  return E.isLeft(feature) || feature.right.names.length === 0 ? undefined : feature.right.names;
};

/** A name without the blanks around it, and composed as other disks would have it. */
const tidy = (name: string): string => sameOnDisks(name.trim());

const sameNames = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((name, i) => name === b[i]);

/** The labels of a file's numbers among the classes of its dataset; on the left the names that are not among them. */
const byOwnNames = (own: readonly string[], classNames: readonly string[]): E.Either<readonly string[], readonly number[]> => {
  if (sameNames(own, classNames)) return E.right(own.map((_, i) => i));
  const labels = namesAlike(own, classNames);
  if (labels !== undefined) return E.right(own.map((name) => labels.get(name)!));
  const unknown = own.filter((name) => !classNames.includes(name));
  return E.left(unknown.length > 0 ? unknown : own);
};

/**
 * The labels of the numbers of a file: by the names that it has for them. Names of `classnames.txt` that it does not have rename those of the first file by
 * their number, unless a name that both have stands elsewhere.
 */
const numbersOf = (
  path: string,
  own: readonly string[],
  { first, given }: { readonly first: readonly string[]; readonly given: readonly string[] | undefined },
): E.Either<Failure, readonly number[]> => {
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadConfig", path, detail });
  const inGiven = given === undefined ? E.left([]) : byOwnNames(own, given);
  if (E.isRight(inGiven)) return inGiven;
  const inFirst = byOwnNames(own, first);
  if (E.isLeft(inFirst)) {
    return bad(`its classes ${someOf(inFirst.left)} are not those of the other files (${someOf(first)}); name all of them in classnames.txt, a class a line`);
  }
  const moved = given?.find((name, i) => first.includes(name) && first[i] !== name);
  if (moved === undefined) return inFirst;
  return bad(`it and classnames.txt have the class ${moved} in different places and other names differ; write the names of its classes to classnames.txt`);
};

/** Classes that are numbers, and have their names in the files or somewhere else. */
const numbered = (
  dir: string,
  { train, test, columns, config }: ParquetDataset,
  given: readonly string[] | undefined,
  files: Files,
): TE.TaskEither<Failure, ParquetClasses> => {
  const { name } = columns.label;
  const all = [...train, ...test];
  return pipe(
    readmeOf(dir, files),
    TE.chainEitherK((readme): E.Either<Failure, ParquetClasses> => {
      const said = readmeClasses(readme, name, config ?? basename(dir)) ?? readmeClasses(readme, name);
      const owns = all.map((file) => (writtenClasses(file, name) ?? said)?.map(tidy));
      const first = owns.find((own) => own !== undefined);
      const classNames = given ?? first;
      if (classNames === undefined)
        return E.left(
          unreadable(all[0].path)(
            `its column ${name} has numbers, and nothing says what they are called; write it to ${join(dir, "classnames.txt")}, a class a line`,
          ),
        );
      const nameless = classNames.indexOf("");
      if (nameless >= 0) return E.left(unreadable(all[0].path)(`its class ${nameless} has a blank name; name all classes in ${join(dir, "classnames.txt")}`));
      return pipe(
        all,
        E.traverseArray((file) => {
          const own = owns[all.indexOf(file)];
          const labels = own === undefined ? E.right(classNames.map((_, i) => i)) : numbersOf(file.path, own, { first: first!, given });
          return pipe(
            labels,
            E.map((numbers) => [file, numbers] as const),
          );
        }),
        E.map((pairs) => {
          const labels = new Map(pairs);
          const labelOf = (file: ParquetFile) => (value: unknown) => {
            const label = typeof value === "bigint" || typeof value === "number" ? labels.get(file)?.[Number(value)] : undefined;
            if (label !== undefined && label < classNames.length) return E.right(label);
            const most = Math.min(labels.get(file)?.length ?? 0, classNames.length);
            return E.left(value === null ? "it has no class" : `its class is ${String(value)}, not a number below ${most}`);
          };
          return { classNames, notes: [], labelOf };
        }),
      );
    }),
  );
};

/** Reads a column of a file from its first row to its last. */
export const readColumn = (file: ParquetFile, { name }: ParquetColumn, files: Files): TE.TaskEither<Failure, readonly unknown[]> =>
  readParquetColumn(file, name, { start: 0, end: file.rows }, files);

/** Classes that stand there by name: sorted, or paired with those of `classnames.txt`. */
const spelled = (
  dir: string,
  { train, test, columns }: ParquetDataset,
  given: readonly string[] | undefined,
  files: Files,
): TE.TaskEither<Failure, ParquetClasses> =>
  pipe(
    [...train, ...test],
    TE.traverseSeqArray((file) => readColumn(file, columns.label, files)),
    TE.chainEitherK((all) => {
      const texts = [...new Set(all.flat().filter((value): value is string => typeof value === "string"))];
      const found = [...new Set(texts.map(tidy))].filter((name) => name !== "").sort(byCodeUnit);
      const untidy = texts.filter((name) => tidy(name) !== name && tidy(name) !== "").sort(byCodeUnit);
      const quoted = untidy.map((name) => JSON.stringify(name));
      const note = untidy.length === 0 ? [] : [`names of classes are taken without the blanks around them, and in composed letters: ${someOf(quoted)}`];
      return pipe(
        given === undefined
          ? E.right({ classNames: found, labels: new Map(found.map((name, label) => [name, label])), notes: [] })
          : pairClasses(join(dir, "classnames.txt"), found, given),
        E.map(({ classNames, labels, notes }) => ({
          classNames,
          notes: [...notes, ...note],
          labelOf: () => (value: unknown) => {
            const label = typeof value === "string" ? labels.get(tidy(value)) : undefined;
            if (label !== undefined) return E.right(label);
            return E.left(typeof value === "string" ? "the name of its class is blank" : "it has no class");
          },
        })),
      );
    }),
  );

/**
 * The classes of a dataset: those of `classnames.txt` (`given`), those that the files or `README.md` have for their numbers, or the sorted texts of the column.
 * The numbers of every file count its own names. Fails with `BadConfig` where files and `classnames.txt` contradict one another.
 */
export const parquetClasses = (
  dir: string,
  dataset: ParquetDataset,
  given: readonly string[] | undefined,
  files: Files,
): TE.TaskEither<Failure, ParquetClasses> => (dataset.columns.label.kind === "integer" ? numbered : spelled)(dir, dataset, given, files);
