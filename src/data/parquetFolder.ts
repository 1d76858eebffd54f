/**
 * The Parquet layout of Hugging Face's hub: `data/train-00000-of-00002.parquet`, `train/*.parquet`, or the same in the folder of a configuration, with a
 * column of pictures and one of classes.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { readParquet, type ParquetColumn, type ParquetFile } from "../formats/parquet.ts";
import { missingParts } from "../formats/parts.ts";
import { basename, dirname, join } from "../formats/path.ts";
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { exampleDecoder } from "./decode.ts";
import type { Example } from "./example.ts";
import { someOf } from "./leftOut.ts";
import { parquetClasses, readColumn, type ParquetClasses, type ParquetDataset } from "./parquetClasses.ts";
import { findColumns, type Columns } from "./parquetColumns.ts";
import { parquetSplits, splitNamed } from "./parquetPaths.ts";
import { isBeside } from "./rowReader.ts";
import { filesOf, readClassNames, readTemplates, skipOrFail, splitsOf, type Listing, type SourceOptions } from "./source.ts";
import type { ClassTask } from "./task.ts";

/** The Parquet files in a folder, in the folders in it, and in those of splits in these, by their paths from it on. */
export const parquetPathsIn = (dir: string, files: Files): TE.TaskEither<Failure, readonly string[]> => {
  const inside = (folder: string, deeper: (name: string) => boolean): TE.TaskEither<Failure, readonly string[]> =>
    pipe(
      files.list(join(dir, folder)),
      TE.chain((entries) => {
        const own = entries.filter(({ name, kind }) => kind === "file" && name.endsWith(".parquet")).map(({ name }) => join(folder, name));
        const folders = entries.filter(({ name, kind }) => kind === "folder" && !name.startsWith(".") && deeper(name));
        return pipe(
          folders,
          TE.traverseSeqArray(({ name }) => inside(join(folder, name), folder === "" ? (below) => splitNamed(below) !== undefined : () => false)),
          TE.map((all) => [...own, ...all.flat()]),
        );
      }),
    );
  return inside("", () => true);
};

const readAll = (dir: string, paths: readonly string[], files: Files): TE.TaskEither<Failure, readonly ParquetFile[]> =>
  TE.traverseSeqArray((path: string) => readParquet(join(dir, path), files))(paths);

/** Whether a file has a column of that kind. */
const has = ({ columns }: ParquetFile, { name, kind }: ParquetColumn): boolean => columns.some((column) => column.name === name && column.kind === kind);

const open = (dir: string, options: SourceOptions): TE.TaskEither<Failure, ParquetDataset> => {
  const files = filesOf(options);
  return pipe(
    parquetPathsIn(dir, files),
    TE.chainEitherK((paths) => {
      const configs = parquetSplits(paths);
      const [config, found] = configs.has("") ? ["", configs.get("")!] : [...configs][0];
      if (configs.size > 1 && config !== "")
        return E.left(unreadable(dir)(`it has several configurations: ${someOf([...configs.keys()], 20)}; name the folder of one of them`));
      const missing = missingParts([...found.train, ...found.test]);
      return missing.length > 0 ? E.left(unreadable(dir)(`it lacks ${someOf(missing)}`)) : E.right({ config, found });
    }),
    TE.bind("train", ({ found }) => readAll(dir, found.train, files)),
    TE.bind("test", ({ found }) => readAll(dir, found.test, files)),
    TE.chainEitherK(({ config, train, test }) => {
      const all = [...train, ...test];
      const columns = findColumns(all[0], options.columns);
      if (E.isLeft(columns)) return E.left(unreadable(all[0].path)(columns.left));
      const { image, label } = columns.right;
      const other = all.find((file) => !has(file, image) || !has(file, label));
      if (other !== undefined) return E.left(unreadable(other.path)(`it has not the columns ${image.name} and ${label.name} of ${all[0].path}`));
      return E.right({ train, test, columns: columns.right, config: config === "" ? undefined : config });
    }),
  );
};

/** The examples of a file; the labels are read, and of the pictures only paths. */
const examplesOf = (file: ParquetFile, columns: Columns, { labelOf }: ParquetClasses, options: SourceOptions): TE.TaskEither<Failure, readonly Example[]> => {
  const files = filesOf(options);
  const { image } = columns;
  const { path } = file;
  const label = labelOf(file);
  const example = (row: number, value: unknown, beside: unknown): E.Either<string, Example> =>
    pipe(
      label(value),
      E.chain((cls) => {
        const id = `${path}:${row}`;
        if (image.kind !== "text") return E.right<string, Example>({ id, label: cls, image: { kind: "row", file: path, row, column: image.name } });
        if (typeof beside !== "string" || !isBeside(beside)) return E.left("it has no path of a picture below its folder");
        return E.right<string, Example>({ id, label: cls, image: { kind: "file", path: join(dirname(path), beside) } });
      }),
    );
  return pipe(
    TE.Do,
    TE.bind("labels", () => readColumn(file, columns.label, files)),
    TE.bind("paths", () => (image.kind === "text" ? readColumn(file, image, files) : TE.right<Failure, readonly unknown[]>([]))),
    TE.chainEitherK(({ labels, paths }) =>
      pipe(
        labels,
        E.traverseReadonlyArrayWithIndex((row, value) =>
          pipe(
            example(row, value, paths[row]),
            E.orElse((detail) => skipOrFail(options.onCorrupt ?? "fail", `${path}:${row}`, { _tag: "CorruptSample", path, member: `in row ${row}`, detail })),
          ),
        ),
      ),
    ),
  );
};

/**
 * A folder in the Parquet layout as a task named after it. Its classes are those that the files, `README.md` or `classnames.txt` name by number, or the sorted
 * texts of the column. `validation` stands in for a missing `test`. Labels are read when a split is first walked, pictures by row group when they are decoded.
 * A row without a class fails its split, or with `onCorrupt: "skip"` stands in it as an example that fails.
 */
export const parquetFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, ClassTask> => {
  const files = filesOf(options);
  return pipe(
    TE.Do,
    TE.bind("given", () => readClassNames(dir, files)),
    TE.bind("templates", () => readTemplates(dir, files)),
    TE.bind("opened", () => open(dir, options)),
    TE.bind("classes", ({ opened, given }) => parquetClasses(dir, opened, given, files)),
    TE.map(({ templates, opened: { train, test, columns }, classes }): ClassTask => {
      const listing = (split: readonly ParquetFile[]): TE.TaskEither<Failure, Listing> =>
        pipe(
          split,
          TE.traverseSeqArray((file) => examplesOf(file, columns, classes, options)),
          TE.map((all) => ({ examples: all.flat(), notes: classes.notes })),
        );
      const { platform = defaultPlatform, decoder = platform.decodeImage } = options;
      return {
        name: basename(files.absolute(dir)),
        classNames: classes.classNames,
        templates,
        ...splitsOf(listing(train), listing(test)),
        // Its own, so that row groups are kept from one batch to the next.
        decode: exampleDecoder({ files, decodeImage: decoder }),
      };
    }),
  );
};
