/** What a decoder writes to the questions of a task. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Image } from "../data/example.ts";
import { answersOf, type Question } from "../data/question.ts";
import type { AnswerTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Generator } from "../language/generate.ts";
import { planesOf } from "../language/pictures.ts";
import { closing, type Prompt } from "../language/prompts.ts";
import { answered, promptOf } from "../language/sequences.ts";
import type { Asker } from "./answered.ts";

/** The most tokens that an answer to these questions has, with what closes it. */
const longestAnswer = ({ questions, asking }: Asker): E.Either<Failure, number> =>
  pipe(
    questions.flatMap((question) => answersOf(question).map((answer) => ({ question, answer }))),
    E.traverseArray(({ question, answer }) => answered(asking, question, answer)),
    E.map((sequences) => sequences.reduce((most, { ids, before }) => Math.max(most, ids.length - before), 1)),
  );

/** A question as it is continued, with its pictures where it has some. */
const continuedPrompt = ({ asking, model, load }: Asker, question: Question, room: number): E.Either<Failure, Prompt> =>
  pipe(
    promptOf(asking, question, room),
    E.map(({ ids, picks }): Prompt => {
      const { length: count } = question.pictures;
      if (count === 0) return { ids };
      const pixels: TE.TaskEither<Failure, readonly Float32Array[]> = pipe(
        TE.fromTask<E.Either<Failure, readonly Image[]>, Failure>(() => load(question)),
        TE.chainEitherK((images) => images),
        TE.chainEitherK((images) => planesOf(model, question, images)),
      );
      return { ids, picks, pictures: { count, pixels } };
    }),
  );

/** What is written to every question of a task, the likeliest token each time, up to the end of an answer or the most tokens of the task. */
export const generated = (asker: Asker, task: AnswerTask, generator: Generator): TE.TaskEither<Failure, readonly string[]> => {
  const { questions, asking, model } = asker;
  return pipe(
    E.Do,
    E.bind("maxTokens", () => (task.maxTokens === undefined ? longestAnswer(asker) : E.right(task.maxTokens))),
    E.bind("prompts", ({ maxTokens }) =>
      pipe(
        questions,
        E.traverseArray((question) => continuedPrompt(asker, question, maxTokens)),
      ),
    ),
    TE.fromEither,
    TE.chain(({ maxTokens, prompts }) => generator.all(prompts, { maxTokens, ...closing(asking.chat, model.textTokenizer!) })),
    TE.map((answers) => answers.map(({ text }) => text.trim())),
  );
};
