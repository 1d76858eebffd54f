/** What a decoder writes to the questions of a task. */
import type * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Image } from "../data/example.ts";
import type { Question } from "../data/question.ts";
import type { Failure } from "../failure.ts";
import type { Generator } from "../language/generate.ts";
import { planesOf } from "../language/pictures.ts";
import { closing, type Prompt } from "../language/prompts.ts";
import type { Sequence } from "../language/sequences.ts";
import type { Asker } from "./asker.ts";

/** A question as it is continued, with its pictures where it has some. */
const continuedPrompt = ({ model, load }: Asker, question: Question, { ids, picks }: Sequence): Prompt => {
  const { length: count } = question.pictures;
  if (count === 0) return { ids };
  const pixels: TE.TaskEither<Failure, readonly Float32Array[]> = pipe(
    TE.fromTask<E.Either<Failure, readonly Image[]>, Failure>(() => load(question)),
    TE.chainEitherK((images) => images),
    TE.chainEitherK((images) => planesOf(model, question, images)),
  );
  return { ids, picks, pictures: { count, pixels } };
};

/** What is written to every question of an asker that asks for texts: the likeliest token each time, up to the end of an answer or the most tokens. */
export const generated = (asker: Asker, generator: Generator): TE.TaskEither<Failure, readonly string[]> => {
  const { questions, tokens, asking, maxTokens, model } = asker;
  const prompts = questions.map((question, i) => continuedPrompt(asker, question, tokens[i].prompt!));
  return pipe(
    generator.all(prompts, { maxTokens, ...closing(asking.chat, model.textTokenizer!) }),
    TE.map((answers) => answers.map(({ text }) => text.trim())),
  );
};
