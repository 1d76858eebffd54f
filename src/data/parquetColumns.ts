/** Which columns of Parquet files are pictures and classes. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { ParquetColumn, ParquetFile, ParquetKind } from "../formats/parquet.ts";
import { didYouMean } from "../formats/suggest.ts";

/** The columns that a dataset is read from. */
export interface Columns {
  readonly image: ParquetColumn;
  readonly label: ParquetColumn;
}

/** Names of columns, where they cannot be told apart otherwise. One that a file does not have is a failure. */
export interface ColumnNames {
  readonly image?: string;
  readonly label?: string;
}

/** Names of columns that are meant, the best first. */
const usual = {
  image: ["image", "img", "picture", "photo", "webp", "jpg", "jpeg", "png", "pixel_values", "file_name", "image_path", "path"],
  label: ["label", "labels", "fine_label", "cls", "class", "target", "category", "class_name", "label_name"],
} as const;

/** What a column may be by its kind: bytes are pictures, and text is where its name says so. */
const may: Readonly<Record<keyof typeof usual, (column: ParquetColumn) => boolean>> = {
  image: ({ kind, name }) => kind === "file" || kind === "bytes" || (kind === "text" && (usual.image as readonly string[]).includes(name.toLowerCase())),
  label: ({ kind }) => kind === "integer" || kind === "text",
};

const inWords: Readonly<Record<ParquetKind, string>> = { integer: "numbers", text: "text", bytes: "bytes", file: "files", other: "something else" };

/** The columns in words. */
const listed = (columns: readonly ParquetColumn[]): string => columns.map(({ name, kind }) => `${name} (${inWords[kind]})`).join(", ");

/** The kinds of a column that is asked for by name: then text may be paths of pictures, whatever its name is. */
const fits: Readonly<Record<keyof typeof usual, readonly ParquetKind[]>> = { image: ["file", "bytes", "text"], label: ["integer", "text"] };

const contents = { image: "pictures", label: "classes" } as const;

/** The column of a name that somebody has given. */
const named = (columns: readonly ParquetColumn[], role: keyof typeof usual, asked: string, taken?: string): E.Either<string, ParquetColumn> => {
  const has = `it has ${listed(columns)}`;
  const column = columns.find(({ name }) => name === asked);
  if (column === undefined) {
    const names = columns.map(({ name }) => name);
    return E.left(`it has no column ${asked} (the option columns): ${has}${didYouMean(asked, names)}`);
  }
  if (asked === taken) return E.left(`its column ${asked} cannot have both pictures and classes: ${has}`);
  if (fits[role].includes(column.kind)) return E.right(column);
  return E.left(`its column ${asked} has ${inWords[column.kind]}, which are no ${contents[role]}: ${has}`);
};

/** The column that names and types tell; `taken` is the name of one that is something else. */
const told = (columns: readonly ParquetColumn[], role: keyof typeof usual, taken?: string): E.Either<string, ParquetColumn> => {
  const candidates = columns.filter((column) => column.name !== taken && may[role](column));
  const best = usual[role].map((name) => candidates.find((c) => c.name.toLowerCase() === name)).find((c) => c !== undefined);
  if (best !== undefined) return E.right(best);
  if (candidates.length === 1) return E.right(candidates[0]);
  const what = contents[role];
  const why = candidates.length === 0 ? `no column has ${what}` : `which column has the ${what} is not clear`;
  return E.left(`${why}: it has ${listed(columns)}; name it (the option columns, --columns ${role}=NAME)`);
};

/** The columns of pictures and of classes; on the left why they are not clear, or not what was asked for, with all that there are. */
export const findColumns = ({ columns }: ParquetFile, asked: ColumnNames = {}): E.Either<string, Columns> => {
  const choose = (role: keyof typeof usual, taken?: string): E.Either<string, ParquetColumn> => {
    const name = asked[role];
    return name === undefined ? told(columns, role, taken) : named(columns, role, name, taken);
  };
  return pipe(
    choose("image", asked.image === undefined ? asked.label : undefined),
    E.bindTo("image"),
    E.bind("label", ({ image }) => choose("label", image.name)),
  );
};
