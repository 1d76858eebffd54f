/** Pictures in the rows of Parquet files: read by row group, some of which are kept for the next rows. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { readParquet, readParquetColumn, type ParquetFile } from "../formats/parquet.ts";
import { dirname, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import type { ImageReference } from "./example.ts";

type Row = Extract<ImageReference, { kind: "row" }>;
type Values = Promise<E.Either<Failure, readonly unknown[]>>;

/** Values of one row group, and about how many bytes they hold. */
interface Kept {
  readonly values: Values;
  readonly bytes: number;
}

/** More than this is not read at a time. */
const largestGroup = 2 ** 30;

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** The bytes of a picture in a row: they stand there, or a path that is relative to the file's folder does. */
const pictureIn = async ({ file, row }: Row, value: unknown, files: Files): Promise<E.Either<Failure, Uint8Array>> => {
  const { bytes, path } = value instanceof Uint8Array ? { bytes: value, path: null } : ((value ?? {}) as { readonly bytes?: unknown; readonly path?: unknown });
  if (bytes instanceof Uint8Array) return E.right(bytes);
  if (typeof path === "string" && isBeside(path)) return files.read(join(dirname(file), path))();
  return E.left({ _tag: "CorruptSample", path: file, member: `in row ${row}`, detail: "it has no picture" });
};

/** Whether a path stays below the folder that it is relative to. */
export const isBeside = (path: string): boolean => path !== "" && !/^([/\\]|[a-z]:)/i.test(path) && !path.split(/[/\\]/).includes("..");

/** Reads the bytes of pictures in rows; `CorruptSample` where there is none. It keeps row groups of at most `megabytes` (2^20 bytes), and always the newest. */
export const rowReader = (files: Files, megabytes = 256): ((row: Row) => TE.TaskEither<Failure, Uint8Array>) => {
  const footers = new Map<string, Promise<E.Either<Failure, ParquetFile>>>();
  const kept = new Map<string, Kept>();
  let held = 0;
  const footerOf = (path: string): Promise<E.Either<Failure, ParquetFile>> => {
    const footer = footers.get(path) ?? readParquet(path, files)();
    footers.set(path, footer);
    return footer;
  };
  const drop = (key: string): void => {
    held -= kept.get(key)?.bytes ?? 0;
    kept.delete(key);
  };
  const valuesOf = (file: ParquetFile, column: string, nth: number): Values => {
    const key = JSON.stringify([file.path, column, nth]);
    const group = file.groups[nth];
    const before = kept.get(key);
    const bytes = group.bytes.get(column) ?? 0;
    if (bytes > largestGroup) {
      const words = `its row group ${nth} has ${mebibytes(bytes)} of pictures, which are read at a time; write it anew with smaller ones (row_group_size=100)`;
      return Promise.resolve(E.left(unreadable(file.path)(words)));
    }
    const now = before ?? { bytes, values: readParquetColumn(file, column, group, files)() };
    drop(key);
    kept.set(key, now);
    held += bytes;
    for (const oldest of [...kept.keys()]) if (held > megabytes * 2 ** 20 && oldest !== key) drop(oldest);
    return now.values;
  };
  return (reference) => async () => {
    const { file, row, column } = reference;
    const footer = await footerOf(file);
    if (E.isLeft(footer)) {
      footers.delete(file);
      return footer;
    }
    const nth = footer.right.groups.findIndex(({ start, end }) => row >= start && row < end);
    if (nth < 0) return E.left(unreadable(file)(`it has ${footer.right.rows} rows, and row ${row} is asked for`));
    const values = await valuesOf(footer.right, column, nth);
    return E.isLeft(values) ? values : pictureIn(reference, values.right[row - footer.right.groups[nth].start], files);
  };
};
