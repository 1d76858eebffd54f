/** Files of JSON lines: what a run writes while it goes on. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { parseJson, printed } from "../formats/json.ts";

/** A record as one JSON line, newline included. */
export const jsonLine = (record: unknown): string => `${JSON.stringify(record)}\n`;

/** Reads the records of a text, a line each; `path` names the file in failures. */
export type LinesDecoder<A> = (path: string) => (text: string) => E.Either<Failure, readonly A[]>;

/** Reads lines, each by a codec; a last line that was cut off by a stop is left out, any other bad line is a `FileCorrupt` failure. */
export const decodeLines =
  <A>(codec: t.Decoder<unknown, A>, what: string) =>
  (path: string) =>
  (text: string): E.Either<Failure, readonly A[]> => {
    const lines = text.split("\n");
    const records: A[] = [];
    for (const [i, line] of lines.entries()) {
      if (line.trim() === "") continue;
      const decoded = pipe(
        parseJson(line),
        E.chainW((u) => codec.decode(u)),
      );
      if (E.isRight(decoded)) records.push(decoded.right);
      else if (i < lines.length - 1) return E.left({ _tag: "FileCorrupt", path, detail: `line ${i + 1} is not ${what}: ${printed(line)}` });
    }
    return E.right(records);
  };
