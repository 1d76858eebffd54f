/** `cambium generate`: what a language model answers. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { generating } from "../afterwards/generate.ts";
import { legible, type Failure } from "../failure.ts";
import { gathered, type AnswerPiece, type Generated } from "../language/generate.ts";
import { fixed } from "../report/format.ts";
import { openLearner } from "../runs/openLearner.ts";
import { command } from "./command.ts";
import { precisionFlag } from "./device.ts";
import { between, flag, list, optional, some, whole } from "./flags.ts";
import { promptsOf, type TypedPrompt } from "./prompts.ts";
import type { Terminal } from "./terminal.ts";

/** A text as a terminal may print it: line ends and tabs stay, other control characters are escaped. */
const printable = (text: string): string => text.replace(/[^\n\t]+/gu, (line) => legible(line, Infinity));

/** A prompt above its answer. */
const heading = ({ prompt }: TypedPrompt): string => printable(prompt).replace(/^/gmu, "> ");

/** Hands pieces on, and prints them in the order of the prompts: those of a later one wait for the end of those before. */
async function* printed(
  pieces: AsyncIterable<E.Either<Failure, AnswerPiece>>,
  prompts: readonly TypedPrompt[],
  write: Terminal["write"],
): AsyncGenerator<E.Either<Failure, AnswerPiece>> {
  const waiting = prompts.map(() => ({ text: "", over: false }));
  let now = -1;
  const next = (): void => {
    now += 1;
    if (prompts.length > 1 && now < prompts.length) write(`${now > 0 ? "\n\n" : ""}${heading(prompts[now])}\n`);
  };
  for await (const piece of pieces) {
    yield piece;
    if (E.isLeft(piece)) return;
    const own = waiting[piece.right.prompt];
    own.text += printable(piece.right.text);
    own.over = piece.right.ended !== undefined;
    if (now < 0) next();
    while (now < prompts.length) {
      write(waiting[now].text);
      waiting[now].text = "";
      if (!waiting[now].over) break;
      next();
    }
  }
}

/** Says how long the tokens took. */
async function* timed(pieces: AsyncIterable<E.Either<Failure, AnswerPiece>>, say: (line: string) => void): AsyncGenerator<E.Either<Failure, AnswerPiece>> {
  const begun = performance.now();
  let [first, before, count] = [begun, 0, 0];
  for await (const piece of pieces) {
    if (count === 0) first = performance.now();
    if (E.isRight(piece)) count += piece.right.tokens.length;
    if (before === 0) before = count;
    yield piece;
  }
  const seconds = (performance.now() - first) / 1000;
  if (count > before && seconds > 0)
    say(`first token after ${fixed(1)((first - begun) / 1000)} s, then ${fixed(1)((count - before) / seconds)} tokens a second`);
}

/** Answers prompts. */
export const generate = command({
  name: "generate",
  does: "say what a language model answers to a prompt, token by token as it writes",
  synopsis: ["cambium generate MODEL --prompt TEXT [--image FILE[,FILE…]] [flags]", "cambium generate MODEL --prompts FILE [flags]"],
  operands: { hint: "MODEL", what: "the folder of a model, a learner or a run, or the name of a model on the hub,", flag: "prompt" },
  flags: {
    prompt: optional(some, "TEXT", "what the model is asked", "those of --prompts"),
    image: optional(list(some), "FILE[,FILE…]", "the pictures of the prompt, in their order", "none"),
    prompts: optional(some, "FILE", "a file with a prompt on each line, or with a JSON object {prompt, image?} on each", "none"),
    "max-tokens": flag(whole(1), "N", "the most tokens of an answer", 256),
    temperature: flag(between(0, 100), "T", "above 0, tokens are drawn, the more freely the larger it is; 0 takes the likeliest", 0),
    "top-p": flag(between(1e-9, 1), "P", "draw among the likeliest tokens that have this share of the probability together", 1),
    seed: flag(whole(0), "N", "what tokens are drawn from", 0),
    stop: optional(some, "TEXT", "a text that an answer ends before", "the model ends it"),
    chat: optional(
      some,
      "T",
      "how the model is asked: chatml, vicuna, or a text with {prompt} in it; {prompt} alone continues the prompt",
      "as its run was asked, or as its tokenizer says",
    ),
    precision: precisionFlag,
    batch: flag(whole(1), "N", "how many prompts are answered at a time", 8),
  },
  notes: ["The learner of a run is asked as its method evaluates it. Answers to several prompts stand under them, in their order."],
  examples: [
    ['cambium generate models/smollm2 --prompt "What is the capital of France?"', "one answer"],
    ['cambium generate runs/keeplora --prompt "What colour is the circle?" --image a.png --max-tokens 16', "what the learner of a run says of a picture"],
    ["cambium generate models/smollm2 --prompts questions.txt --temperature 0.7 --top-p 0.9 --seed 1 --json", "answers that are drawn, as JSON"],
  ],
  whenStopped: "Stopped on request; the answers end here.",
  run: ({ flags, operands: [name] }, { at, jobOptions, note, write }) =>
    pipe(
      promptsOf(flags, at),
      TE.bindTo("prompts"),
      TE.bind("opened", () => openLearner(name, jobOptions)),
      TE.bind("answers", ({ prompts, opened }) => {
        const { "max-tokens": maxTokens, "top-p": topP, temperature, seed, stop, chat, batch, precision } = flags;
        const options = { maxTokens, topP, temperature, seed, stop, chat, batch, device: { precision }, signal: jobOptions.signal };
        const pieces = generating(opened, prompts, { ...options, opened: (line) => note(`adapter: ${line}`) });
        return gathered(prompts.length, timed(printed(pieces, prompts, write), note));
      }),
      TE.map(({ prompts, answers }) => ({
        text: () => "",
        json: answers.map(({ text, tokens, ended }: Generated, i) => ({ ...prompts[i], text, tokens: tokens.length, ended })),
      })),
    ),
});
