/** References of captions that stand in a file of their own, in COCO's layout. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { readJsonAs, unreadable } from "../formats/files.ts";
import { list } from "../formats/json.ts";
import type { Files } from "../platform/files.ts";
import type { Question } from "./question.ts";
import { listedOnce } from "./source.ts";
import type { Split } from "./task.ts";

const Captions = t.type({ annotations: list(t.type({ image_id: t.number, caption: t.string })) });

/**
 * A split whose questions have for answers the captions of a file: picture 1 of the file is that of the first question, and so on. Fails with
 * `FileUnreadable` where a question has none.
 */
export const withReferences = (split: Split<Question>, path: string, files: Files): Split<Question> =>
  listedOnce(
    pipe(
      TE.Do,
      TE.bind("questions", () => split),
      TE.bind("captions", () => readJsonAs(Captions, path, files)),
      TE.chainEitherK(({ questions, captions }): E.Either<Failure, readonly Question[]> => {
        const of = new Map<number, string[]>();
        for (const { image_id, caption } of captions.annotations) of.set(image_id, [...(of.get(image_id) ?? []), caption]);
        const bare = questions.findIndex((_, i) => !of.has(i + 1));
        if (bare >= 0) return E.left(unreadable(path)(`it has no caption of picture ${bare + 1}, that of question ${questions[bare].id}`));
        return E.right(questions.map((question, i) => ({ ...question, answer: of.get(i + 1)! })));
      }),
    ),
  );
