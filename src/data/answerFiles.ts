/**
 * Files of questions: JSON lines, or one JSON list. What a file begins with says which it is, whatever it is called.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { corrupt, readText, unreadable } from "../formats/files.ts";
import { parseJson } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import type { Entry, Files } from "../platform/files.ts";
import { isLfsPointer, lfsAdvice } from "../platform/pictures.ts";
import type { PassedOver } from "./leftOut.ts";
import { splitWords } from "./parquetPaths.ts";

/** A record of a file, or why it is none; `member` says in words where it stands, `number` as a figure. */
export interface Row {
  readonly number: number;
  readonly member: string;
  readonly value: E.Either<string, unknown>;
}

const linesOf = (text: string): readonly Row[] =>
  text.split(/\r\n|\r|\n/).flatMap((line, i): readonly Row[] => {
    const words = line.trim();
    return words === "" ? [] : [{ number: i + 1, member: `in line ${i + 1}`, value: parseJson(words) }];
  });

/** Where the first record stands that keeps a list from being JSON, in words; undefined where the list itself does. A trailing comma has none behind it. */
const placeOf = (text: string): string | undefined => {
  let [depth, quoted, start, number] = [0, false, 0, 1];
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
      continue;
    }
    if (c === '"') quoted = true;
    else if (c === "[" || c === "{") {
      if (++depth === 1) start = i + 1;
    } else if ((c === "," && depth === 1) || ((c === "]" || c === "}") && --depth === 0)) {
      const item = text.slice(start, i);
      if (E.isLeft(parseJson(item)))
        return `in record ${number}, in line ${text.slice(0, item.trim() === "" ? i : start + item.search(/\S/)).split(/\r\n|\r|\n/).length}`;
      [start, number] = [i + 1, number + 1];
    }
  }
  return undefined;
};

/** The records of a file. Fails with `FileUnreadable` where it is missing, empty, an empty list or a pointer; with `FileCorrupt` where it is not JSON. */
export const rowsOf = (path: string, files: Files): TE.TaskEither<Failure, readonly Row[]> =>
  pipe(
    readText(path, files),
    TE.chainEitherK((text): E.Either<Failure, readonly Row[]> => {
      const start = text.trimStart();
      if (start === "") return E.left(unreadable(path)("the file is empty"));
      if (isLfsPointer(new TextEncoder().encode(start.slice(0, 64)))) return E.left(unreadable(path)(lfsAdvice));
      if (start.startsWith("{") && start.trimEnd().includes("\n") && E.isRight(parseJson(start)))
        return E.left(corrupt(path, "it is one object over several lines; wanted a list of questions, or one question a line"));
      if (!start.startsWith("[")) return E.right(linesOf(text));
      return pipe(
        parseJson(text),
        E.bimap(
          (detail) => {
            const place = placeOf(text);
            return corrupt(path, place === undefined ? detail : `${detail} (${place})`);
          },
          (list) => (list as readonly unknown[]).map((value, i): Row => ({ number: i + 1, member: `number ${i + 1}`, value: E.right(value) })),
        ),
        E.filterOrElse(
          (rows) => rows.length > 0,
          () => unreadable(path)("it has no questions"),
        ),
      );
    }),
  );

const endings: readonly string[] = [".jsonl", ".json"];

/** The names that the file of a split may have, the first that is there first. */
const namesOf = (words: readonly string[]): readonly string[] => words.flatMap((word) => endings.map((ending) => `${word}${ending}`));

const [trainNames, testNames] = [namesOf(splitWords.train), namesOf([...splitWords.test, ...splitWords.validation])];

/** The file of each split, where it is there, and files that would be one, if there were no other. */
export interface AnswerFiles {
  readonly train?: string;
  readonly test?: string;
  readonly passedOver: readonly PassedOver[];
}

/** The files of questions in a folder. `validation` stands in for a missing `test`. */
export const answerFilesIn = (entries: readonly Entry[]): AnswerFiles => {
  const there = (names: readonly string[]): readonly string[] => names.filter((name) => entries.some((entry) => entry.name === name && entry.kind === "file"));
  const [[train, ...moreTrain], [test, ...moreTest]] = [there(trainNames), there(testNames)];
  const passedOver = [...moreTrain, ...moreTest].map((name): PassedOver => ["file of another split", "files of other splits", name]);
  return { ...(train === undefined ? {} : { train }), ...(test === undefined ? {} : { test }), passedOver };
};

/** What a record of a question has near its beginning. */
const asks = /"(prompt|question|question_id|conversations|answer)"\s*:/;

/** Whether a folder has a file of questions, by the beginning of the first that it has. */
export const hasQuestions = async (dir: string, entries: readonly Entry[], files: Files): Promise<boolean> => {
  const { train, test } = answerFilesIn(entries);
  const name = train ?? test;
  if (name === undefined) return false;
  const start = await files.open(join(dir, name), (file) => {
    const bytes = new Uint8Array(Math.min(file.size, 2 ** 16));
    return pipe(
      file.read(bytes, 0),
      TE.map((read) => new TextDecoder().decode(bytes.subarray(0, read))),
    );
  })();
  return E.isRight(start) && asks.test(start.right);
};
