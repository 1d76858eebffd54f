/**
 * What the dataset readers share: class names, templates, and how a reader answers an example or a shard that it cannot use.
 */
import { join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, exists, readText } from "../formats/files.ts";
import { exampleDecoder, type Decoder } from "./decode.ts";
import { damagedExample, type Example, type ExampleDecoder } from "./example.ts";
import type { Split } from "./task.ts";

/** `fail`: the first corrupt example or shard stops the run. `skip`: the run goes on without it and counts it. */
export type OnCorrupt = "fail" | "skip";

/** Options of the dataset readers. */
export interface SourceOptions {
  /** Whether a bad shard or label fails the whole split. @default "fail" */
  readonly onCorrupt?: OnCorrupt;
  /** @default sharp */
  readonly decoder?: Decoder;
}

/** The decoder of a reader's examples, as a field of its task: absent where it is the usual one. */
export const ownDecoder = ({ decoder }: SourceOptions): { readonly decode?: ExampleDecoder } =>
  decoder === undefined ? {} : { decode: exampleDecoder(decoder) };

/** The template of a dataset that brings none. */
export const defaultTemplates: readonly string[] = ["a photo of a {c}."];

/** Answers a failure in the list of a split: the failure itself, or an example that holds it. */
export const answer = (onCorrupt: OnCorrupt, id: string, failure: Failure): E.Either<Failure, Example> =>
  onCorrupt === "skip" ? E.right(damagedExample(id, failure)) : E.left(failure);

/** The lines of a text file, without line ends, surrounding blanks and empty lines. */
const readLines = (path: string): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    readText(path),
    TE.map((text) =>
      text
        .split(/\r\n|\r|\n/)
        .map((line) => line.trim())
        .filter((line) => line !== ""),
    ),
  );

/** The lines of an optional file of a dataset; undefined where it is missing. */
const readOptionalLines = (path: string): TE.TaskEither<Failure, readonly string[] | undefined> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(path)),
    TE.chain((there): TE.TaskEither<Failure, readonly string[] | undefined> => (there ? readLines(path) : TE.right(undefined))),
  );

/** `classnames.txt` of a dataset: one class a line, in the order of the labels. Undefined where the file is missing. */
export const readClassNames = (dir: string): TE.TaskEither<Failure, readonly string[] | undefined> => {
  const path = join(dir, "classnames.txt");
  return pipe(
    readOptionalLines(path),
    TE.filterOrElse(
      (lines) => lines === undefined || lines.length > 0,
      () => corrupt(path, "it names no class"),
    ),
  );
};

/** `zeroshot_classification_templates.txt` of a dataset, or {@link defaultTemplates}; each must hold `{c}`. */
export const readTemplates = (dir: string): TE.TaskEither<Failure, readonly string[]> => {
  const path = join(dir, "zeroshot_classification_templates.txt");
  return pipe(
    readOptionalLines(path),
    TE.chainEitherK((lines): E.Either<Failure, readonly string[]> => {
      if (lines === undefined || lines.length === 0) return E.right(defaultTemplates);
      const bad = lines.find((line) => !line.includes("{c}"));
      return bad === undefined ? E.right(lines) : E.left(corrupt(path, `the template "${bad}" has no {c} for the class name`));
    }),
  );
};

/** A split that is listed on the first walk and remembers the list, so that walking it again costs nothing; failures are not kept. */
export const listedOnce = (list: Split): Split => {
  let known: ReturnType<Split> | undefined;
  return () => {
    known ??= list().then((result) => {
      if (E.isLeft(result)) known = undefined;
      return result;
    });
    return known;
  };
};
