/**
 * What the dataset readers share: class names, templates, and what a reader does with an example or a shard that it cannot read.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, readText } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { firstBytes } from "../platform/pictures.ts";
import type { Decoder, Platform } from "../platform/platform.ts";
import { exampleDecoder } from "./decode.ts";
import { damagedExample, type Example, type ExampleDecoder } from "./example.ts";
import type { PassedOver } from "./leftOut.ts";
import type { ColumnNames } from "./parquetColumns.ts";
import type { Notes, Split } from "./task.ts";

/** `fail`: the first corrupt example or shard stops the run. `skip`: the run goes on without it and counts it. */
export type OnCorrupt = "fail" | "skip";

/** Options of the dataset readers. */
export interface SourceOptions {
  /** Whether a bad shard or label fails the whole split. @default "fail" */
  readonly onCorrupt?: OnCorrupt;
  /**
   * Of a folder of class folders without train and test: the share of its images that is drawn for training, above 0 and below 1; others are for testing.
   * `test`: all are. Of a folder of questions without a split for testing: the share of its questions that is drawn for training.
   */
  readonly split?: number | "test";
  /** The columns of Parquet files that are pictures and classes, where names and types do not tell. */
  readonly columns?: ColumnNames;
  /** What turns the bytes of an image file into pixels. @default that of the platform */
  readonly decoder?: Decoder;
  /** Where the files are, and what decodes images. @default Node and Deno */
  readonly platform?: Pick<Platform, "files" | "decodeImage">;
}

/** Where a reader finds its files. */
export const filesOf = ({ platform = defaultPlatform }: SourceOptions): Files => platform.files;

/** The decoder of a reader's examples, as a field of its task: absent where it is the usual one. */
export const ownDecoder = ({ decoder, platform }: SourceOptions): { readonly decode?: ExampleDecoder } => {
  if (decoder === undefined && platform === undefined) return {};
  const { files, decodeImage } = platform ?? defaultPlatform;
  return { decode: exampleDecoder({ files, decodeImage: decoder ?? decodeImage }) };
};

/** The template of a dataset that brings none. */
export const defaultTemplates: readonly string[] = ["a photo of a {c}."];

/** What stands in the list of a split for what cannot be read: with `skip` what `damaged` makes of it, with `fail` the failure of the whole split. */
export const skipOr =
  <A>(damaged: (id: string, failure: Failure) => A) =>
  (onCorrupt: OnCorrupt, id: string, failure: Failure): E.Either<Failure, A> =>
    onCorrupt === "skip" ? E.right(damaged(id, failure)) : E.left(failure);

/** {@link skipOr} for examples. */
export const skipOrFail = skipOr(damagedExample);

/** The lines of a text file, without line ends, surrounding blanks and empty lines. */
export const readLines = (path: string, files: Files): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    readText(path, files),
    TE.map((text) =>
      text
        .split(/\r\n|\r|\n/)
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    ),
  );

/** The lines of an optional file of a dataset; undefined where it is missing. */
const readOptionalLines = (path: string, files: Files): TE.TaskEither<Failure, readonly string[] | undefined> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(path, files)),
    TE.chain((there): TE.TaskEither<Failure, readonly string[] | undefined> => (there ? readLines(path, files) : TE.right(undefined))),
  );

/** `classnames.txt` of a dataset: one class a line, in the order of the labels. Undefined where the file is missing. */
export const readClassNames = (dir: string, files: Files): TE.TaskEither<Failure, readonly string[] | undefined> => {
  const path = join(dir, "classnames.txt");
  return pipe(
    readOptionalLines(path, files),
    TE.filterOrElse(
      (lines) => lines === undefined || lines.length > 0,
      () => corrupt(path, "it names no class"),
    ),
  );
};

/** `zeroshot_classification_templates.txt` of a dataset, or {@link defaultTemplates}; each must hold `{c}`. */
export const readTemplates = (dir: string, files: Files): TE.TaskEither<Failure, readonly string[]> => {
  const path = join(dir, "zeroshot_classification_templates.txt");
  return pipe(
    readOptionalLines(path, files),
    TE.chainEitherK((lines): E.Either<Failure, readonly string[]> => {
      if (lines === undefined || lines.length === 0) return E.right(defaultTemplates);
      const bad = lines.find((line) => !line.includes("{c}"));
      return bad === undefined ? E.right(lines) : E.left(corrupt(path, `the template "${bad}" has no {c} for the class name`));
    }),
  );
};

/** The first bytes of a file, which tell what it is. */
export const firstOf = (path: string, files: Files): TE.TaskEither<Failure, Uint8Array> =>
  files.open(path, (file) => {
    const start = new Uint8Array(Math.min(firstBytes, file.size));
    return pipe(
      file.read(start, 0),
      TE.map((read) => start.subarray(0, read)),
    );
  });

/** Where the splits of a dataset are. */
export interface SplitFolders {
  readonly train: string;
  /** `val` stands in for a missing `test`. */
  readonly test: string;
  /** Whether there is none of them. */
  readonly flat: boolean;
  /** Folders that are no split. */
  readonly beside: readonly PassedOver[];
}

/** Finds the splits of a dataset. */
export const splitFolders = (dir: string, files: Files): TE.TaskEither<Failure, SplitFolders> =>
  pipe(
    files.list(dir),
    TE.map((entries) => {
      const folders = entries.filter(({ name, kind }) => kind === "folder" && !name.startsWith(".")).map(({ name }) => name);
      const test = !folders.includes("test") && folders.includes("val") ? "val" : "test";
      const flat = !folders.includes("train") && !folders.includes(test);
      const others = folders.filter((name) => name !== "train" && name !== test).sort();
      const beside = others.map((name): PassedOver => ["folder beside train and test", "folders beside train and test", name]);
      return { train: join(dir, "train"), test: join(dir, test), flat, beside };
    }),
  );

/** What is listed on the first walk and remembered, so that walking it again costs nothing; failures are not kept. */
export const listedOnce = <A>(list: TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> => {
  let listed: ReturnType<typeof list> | undefined;
  return () => {
    listed ??= list().then((result) => {
      if (E.isLeft(result)) listed = undefined;
      return result;
    });
    return listed;
  };
};

/** A split as a reader lists it: its examples, and what there is to say of it. */
export interface Listing<A = Example> {
  readonly examples: readonly A[];
  readonly notes: readonly string[];
}

/** The splits of a task, and their notes, from what a reader lists. */
export const splitsOf = <A>(
  train: TE.TaskEither<Failure, Listing<A>>,
  test: TE.TaskEither<Failure, Listing<A>>,
): { readonly train: Split<A>; readonly test: Split<A>; readonly notes: { readonly train: Notes; readonly test: Notes } } => {
  const [first, second] = [listedOnce(train), listedOnce(test)];
  const examples = TE.map(({ examples }: Listing<A>) => examples);
  const notes = (list: typeof train): Notes =>
    pipe(
      list,
      TE.match(
        () => [],
        ({ notes }) => notes,
      ),
    );
  return { train: examples(first), test: examples(second), notes: { train: notes(first), test: notes(second) } };
};
