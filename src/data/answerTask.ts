/**
 * A folder of questions as a task that is answered in words: `{train,test}.jsonl` or `.json`, pictures beside them, and a `task.json` that may say how the
 * task is asked and scored.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { exists, readJsonAs, unreadable } from "../formats/files.ts";
import { list } from "../formats/json.ts";
import { basename, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { answerFilesIn, rowsOf, type AnswerFiles } from "./answerFiles.ts";
import { leftOut, type PassedOver } from "./leftOut.ts";
import { damageOf, type Question } from "./question.ts";
import { pictureFinder, usualFrames, type FindPictures } from "./questionPictures.ts";
import { questionsOf, type RowReader } from "./questions.ts";
import { filesOf, ownDecoder, splitsOf, type Listing, type SourceOptions } from "./source.ts";
import type { AnswerTask } from "./task.ts";

const Positive = new t.Type<number, unknown, unknown>(
  "a positive whole number",
  t.number.is,
  (u, context) => (Number.isSafeInteger(u) && (u as number) > 0 ? t.success(u as number) : t.failure(u, context)),
  t.identity,
);

/** What `task.json` may state. */
const Settings = t.exact(
  t.partial({
    score: t.string,
    maxTokens: Positive,
    chat: t.string,
    choices: list(t.string),
    frames: Positive,
    images: t.string,
  }),
);
