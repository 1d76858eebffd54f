/** Parquet files: what stands in their footers, and columns by ranges of rows. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { AsyncBuffer, FileMetaData, SchemaTree } from "hyparquet";
import type { Failure } from "../failure.ts";
import type { Files, OpenFile } from "../platform/files.ts";
import { corrupt, message } from "./files.ts";

/** What a column has in its rows: numbers, texts, bytes, or the bytes of a file beside its path. */
export type ParquetKind = "integer" | "text" | "bytes" | "file" | "other";

/** A column of a Parquet file. */
export interface ParquetColumn {
  readonly name: string;
  readonly kind: ParquetKind;
}

/** The footer of a Parquet file. */
export interface ParquetFile {
  readonly path: string;
  readonly rows: number;
  readonly columns: readonly ParquetColumn[];
  /** The rows of every row group, from its first on, without `end`; its sizes in bytes by column, uncompressed. */
  readonly groups: readonly { readonly start: number; readonly end: number; readonly bytes: ReadonlyMap<string, number> }[];
  /** What its writer has put beside the columns. */
  readonly notes: ReadonlyMap<string, string>;
  /** The same as the package has it. Its types are not part of ours: they ask for those of a browser. */
  readonly metadata: unknown;
}

const kindOf = ({ element: { type, logical_type, converted_type, repetition_type }, children }: SchemaTree): ParquetKind => {
  if (repetition_type === "REPEATED") return "other";
  const bytes = children.find(({ element }) => element.name === "bytes");
  if (children.length > 0) return bytes?.element.type === "BYTE_ARRAY" ? "file" : "other";
  const [logical, converted] = [logical_type?.type, converted_type];
  if (type === "BYTE_ARRAY") {
    if (logical === "STRING" || logical === "ENUM" || converted === "UTF8" || converted === "ENUM") return "text";
    return logical === undefined && converted === undefined ? "bytes" : "other";
  }
  const plain = logical === undefined ? converted === undefined || /^U?INT_/.test(converted) : logical === "INTEGER";
  return (type === "INT32" || type === "INT64") && plain ? "integer" : "other";
};

/** A file as the package reads one: a range at a time. */
const bufferOf = (file: OpenFile): AsyncBuffer => ({
  byteLength: file.size,
  slice: async (start, end = file.size) => {
    const [from, to] = [start < 0 ? file.size + start : start, Math.min(end, file.size)];
    if (!(from >= 0 && from <= to)) throw new Error(`it has no bytes ${start} to ${end}`);
    const bytes = new Uint8Array(to - from);
    const read = await file.read(bytes, from)();
    if (E.isLeft(read)) throw new Error("detail" in read.left ? read.left.detail : read.left._tag);
    return bytes.buffer;
  },
});

const opened = <A>(path: string, files: Files, use: (buffer: AsyncBuffer) => Promise<A>): TE.TaskEither<Failure, A> =>
  files.open(path, (file) =>
    TE.tryCatch(
      () => use(bufferOf(file)),
      (error) => corrupt(path, message(error)),
    ),
  );

const fileOf = (path: string, metadata: FileMetaData, children: readonly SchemaTree[]): ParquetFile => {
  let start = 0;
  const groups = metadata.row_groups.map(({ num_rows, columns }) => {
    const bytes = new Map<string, number>();
    for (const { meta_data } of columns) {
      const name = meta_data?.path_in_schema[0] ?? "";
      bytes.set(name, (bytes.get(name) ?? 0) + Number(meta_data?.total_uncompressed_size ?? 0));
    }
    const group = { start, end: start + Number(num_rows), bytes };
    start = group.end;
    return group;
  });
  if (start !== Number(metadata.num_rows)) throw new Error(`its row groups have ${start} rows, and ${metadata.num_rows} are stated`);
  const columns = children.map((child) => ({ name: child.element.name, kind: kindOf(child) }));
  const notes = new Map((metadata.key_value_metadata ?? []).map(({ key, value = "" }) => [key, value]));
  return { path, rows: start, columns, groups, notes, metadata };
};

/** The reader is loaded where there is such a file. */
const reader = () => import("./parquetReader.ts");

/** Reads the footer of a Parquet file. Fails with `FileUnreadable`, and with `FileCorrupt` where it is none. */
export const readParquet = (path: string, files: Files): TE.TaskEither<Failure, ParquetFile> =>
  opened(path, files, async (buffer) => {
    if (buffer.byteLength < 12) throw new Error("it is too short for a Parquet file");
    const { parquetMetadataAsync, parquetSchema } = await reader();
    const metadata = await parquetMetadataAsync(buffer, { geoparquet: false });
    return fileOf(path, metadata, parquetSchema(metadata).children);
  });

/**
 * Reads one column of the rows from `start` to before `end`: numbers (`bigint` where they have 64 bits), texts, `Uint8Array`s, or `{ bytes, path }`; null where
 * a row has nothing. Fails with `FileUnreadable` and `FileCorrupt`.
 */
export const readParquetColumn = (
  { path, ...footer }: ParquetFile,
  column: string,
  { start, end }: { readonly start: number; readonly end: number },
  files: Files,
): TE.TaskEither<Failure, readonly unknown[]> =>
  pipe(
    opened(path, files, async (file) => {
      const metadata = footer.metadata as FileMetaData;
      const { parquetReadObjects, compressors } = await reader();
      return parquetReadObjects({ file, metadata, columns: [column], rowStart: start, rowEnd: end, compressors, utf8: false, geoparquet: false });
    }),
    TE.map((rows) => rows.map((row): unknown => row[column] ?? null)),
    TE.filterOrElse(
      ({ length }) => length === end - start,
      ({ length }) => corrupt(path, `its column ${column} has ${length} rows where ${end - start} are stated`),
    ),
  );
