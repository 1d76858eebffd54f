/** Which columns of Parquet files are pictures and classes, and what the classes are called. */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { parseJson } from "../formats/json.ts";
import type { ParquetColumn, ParquetFile, ParquetKind } from "../formats/parquet.ts";

/** The columns that a dataset is read from. */
export interface Columns {
  readonly image: ParquetColumn;
  readonly label: ParquetColumn;
}

/** Names of columns, where they cannot be told apart otherwise. */
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

const choose = (
  columns: readonly ParquetColumn[],
  role: keyof typeof usual,
  asked: string | undefined,
  taken?: ParquetColumn,
): E.Either<string, ParquetColumn> => {
  const candidates = columns.filter((column) => column !== taken && may[role](column));
  const named =
    candidates.find(({ name }) => name === asked) ?? usual[role].map((name) => candidates.find((c) => c.name.toLowerCase() === name)).find((c) => c);
  if (named !== undefined) return E.right(named);
  if (candidates.length === 1) return E.right(candidates[0]);
  const what = role === "image" ? "pictures" : "classes";
  const why = candidates.length === 0 ? `no column has ${what}` : `which column has the ${what} is not clear`;
  return E.left(`${why}: it has ${listed(columns)}; name it (the option columns, --columns ${role}=NAME)`);
};

/** The columns of pictures and of classes; on the left why they are not clear, with all that there are. */
export const findColumns = ({ columns }: ParquetFile, asked: ColumnNames = {}): E.Either<string, Columns> => {
  const image = choose(columns, "image", asked.image);
  if (E.isLeft(image)) return image;
  const label = choose(columns, "label", asked.label, image.right);
  return E.isLeft(label) ? label : E.right({ image: image.right, label: label.right });
};

const Huggingface = t.type({ info: t.type({ features: t.UnknownRecord }) });
const ClassLabel = t.type({ names: t.array(t.string) });

/** The names of a column's classes that the writer of a file has put into it; undefined where there are none. */
export const writtenClasses = ({ notes }: ParquetFile, column: string): readonly string[] | undefined => {
  const json = parseJson(notes.get("huggingface") ?? "");
  const decoded = Huggingface.decode(E.isLeft(json) ? undefined : json.right);
  if (E.isLeft(decoded)) return undefined;
  const feature = ClassLabel.decode(decoded.right.info.features[column]);
  return E.isLeft(feature) || feature.right.names.length === 0 ? undefined : feature.right.names;
};
