/** Questions and their answers as tokens: what a decoder reads, and which of it is an answer. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Question } from "../data/question.ts";
import type { Failure } from "../failure.ts";
import type { ChatTemplate } from "./chat.ts";
import type { PromptTokens } from "./promptTokens.ts";
import type { Closing } from "./prompts.ts";

/** How questions become tokens. */
export interface Asking {
  readonly chat: ChatTemplate;
  /** What closes an answer. */
  readonly closing: Closing;
  /** The most tokens of a sequence. */
  readonly longest: number;
  /** The tokens of a text with so many pictures. */
  readonly tokens: (text: string, pictures: number) => E.Either<Failure, PromptTokens>;
}

/** A prompt and what follows it. */
export interface Sequence extends PromptTokens {
  /** How many of its tokens stand before the answer. */
  readonly before: number;
  /** How many tokens of the question were left out, because the sequence would be too long. */
  readonly cut: number;
}

/** How many tokens two lists begin with alike. */
const shared = (a: readonly number[], b: readonly number[]): number => {
  const end = Math.min(a.length, b.length);
  let n = 0;
  while (n < end && a[n] === b[n]) n++;
  return n;
};

const textOf = ({ chat }: Asking, { prompt, pictures }: Pick<Question, "prompt" | "pictures">): string => chat.prompt(prompt, pictures.length);

/** The tokens of the question itself in a prompt: behind its pictures and what its template begins with, and before what that ends with. */
const ownTokens = (asking: Asking, question: Question, { ids, picks, before }: Sequence): E.Either<Failure, { readonly from: number; readonly to: number }> =>
  pipe(
    asking.tokens(textOf(asking, { ...question, prompt: "" }), question.pictures.length),
    E.map((empty) => {
      const from = Math.max(shared(ids, empty.ids), 1 + picks.findLastIndex((pick) => pick > 0));
      return { from, to: before - shared(ids.slice(from, before).reverse(), [...empty.ids].reverse()) };
    }),
  );

/** What is said of a question that does not fit even when all of its text is left out. */
const tooLong = ({ id, pictures }: Question, picks: readonly number[], length: number, longest: number): string => {
  const seen = picks.filter((pick) => pick > 0).length;
  if (2 * seen <= longest) return `${id} has ${length} tokens, of which its answer and what stands around the question need more than ${longest}`;
  const told =
    pictures.length === 1
      ? `its picture takes ${seen}`
      : `its ${pictures.length} pictures of ${seen / pictures.length} tokens each take ${seen}; of a video, "frames" of task.json says how many are shown`;
  return `${id} has ${length} tokens, of which ${longest} are read, and ${told}`;
};

/** A sequence of which the beginning of the question is left out until it and `room` more tokens are no more than the longest. */
const shortened = (asking: Asking, question: Question, sequence: Sequence, room: number): E.Either<Failure, Sequence> => {
  const { ids, picks, before } = sequence;
  const [length, { longest }] = [ids.length + room, asking];
  const cut = length - longest;
  if (cut <= 0) return E.right(sequence);
  return pipe(
    ownTokens(asking, question, sequence),
    E.filterOrElse(
      ({ from, to }) => cut <= to - from,
      (): Failure => ({ _tag: "BadOption", option: "context", detail: tooLong(question, picks, length, longest) }),
    ),
    E.map(({ from }) => {
      const without = (list: readonly number[]): readonly number[] => [...list.slice(0, from), ...list.slice(from + cut)];
      return { ids: without(ids), picks: without(picks), before: before - cut, cut };
    }),
  );
};

/**
 * The prompt of a question alone, with room for an answer of `room` tokens, but at most half of the longest sequence: a longer answer ends where the model's
 * context does. Fails where its pictures and what stands around its text do not fit.
 */
export const promptOf = (asking: Asking, question: Question, room: number): E.Either<Failure, Sequence> =>
  pipe(
    asking.tokens(textOf(asking, question), question.pictures.length),
    E.chain((prompt) => shortened(asking, question, { ...prompt, before: prompt.ids.length, cut: 0 }, Math.min(room, asking.longest >> 1))),
  );

/** A prompt with each of several answers behind it, as it is cut into tokens as a whole; the tokens that a prompt has alone, too, stand before the answer. */
const continued = (asking: Asking, question: Question, answers: readonly string[], end: readonly number[]): E.Either<Failure, readonly Sequence[]> => {
  const { chat, tokens } = asking;
  const prompt = textOf(asking, question);
  const pictures = question.pictures.length;
  return pipe(
    tokens(prompt, pictures),
    E.chain((alone) =>
      pipe(
        answers,
        E.traverseArray((answer) => tokens(`${prompt}${chat.lead}${answer}`, pictures)),
        E.map((wholes) =>
          wholes.map((whole): Sequence => {
            const picks = [...whole.picks, ...end.map(() => 0)];
            return { ids: [...whole.ids, ...end], picks, before: shared(alone.ids, whole.ids), cut: 0 };
          }),
        ),
      ),
    ),
  );
};

/** The failure of a question that has no answer. */
const unanswered = ({ id }: Question): Failure => ({ _tag: "CorruptSample", path: "questions", member: id, detail: "its answer is empty" });

/**
 * A question and an answer to it, closed as its template says: what is trained. Where it is too long, the beginning of the question is left out, behind its
 * pictures. Fails with `CorruptSample` where the answer has no token, and with `BadOption` where it is too long without the question.
 */
export const answered = (asking: Asking, question: Question, answer: string): E.Either<Failure, Sequence> => {
  const { text, tokens } = asking.closing;
  if (answer.trim() === "") return E.left(unanswered(question));
  return pipe(
    continued(asking, question, [answer + text], tokens),
    E.chain(([sequence]) => shortened(asking, question, sequence, 0)),
  );
};

/**
 * A question and each of several answers to it, which are not closed: what is compared. All have the same prompt; where one is too long, the question is cut in
 * all.
 */
export const compared = (asking: Asking, question: Question, answers: readonly string[]): E.Either<Failure, readonly Sequence[]> =>
  pipe(
    continued(asking, question, answers, []),
    E.filterOrElse(
      (sequences) => sequences.every(({ ids, before }) => Math.max(1, before) < ids.length),
      () => unanswered(question),
    ),
    E.chain((sequences) => {
      const longest = sequences.reduce((most, { ids }) => Math.max(most, ids.length), 0);
      return pipe(
        sequences,
        E.traverseArray((sequence) => shortened(asking, question, sequence, longest - sequence.ids.length)),
      );
    }),
  );
