/** Asking a learner that answers in words: whole answers, or piece by piece as they are written. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { exampleDecoder } from "../data/decode.ts";
import { pictureOf, type Question } from "../data/question.ts";
import { deviceOf } from "../device/open.ts";
import { lineOf } from "../device/precision.ts";
import type { Failure } from "../failure.ts";
import { askingOf } from "../language/asking.ts";
import { gathered, openGenerator, type AnswerPiece, type Generated, type GeneratorOptions } from "../language/generate.ts";
import { planesOf } from "../language/pictures.ts";
import type { ContinueOptions, Prompt, PromptPictures } from "../language/prompts.ts";
import type { Learner } from "../model/learner.ts";
import type { Model } from "../model/model.ts";
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Predictor } from "../stages/inference.ts";
import { predictorOf, referenceOf, type Picture, type PredictOptions } from "./predict.ts";

/** What a learner is asked: a text, or a text with pictures in their order. */
export type Asked = string | { readonly prompt: string; readonly pictures?: readonly Picture[] };

/** Options of {@link generate} and {@link generating}. */
export interface GenerateOptions
  extends Pick<PredictOptions, "device" | "opened" | "signal" | "platform">,
    Pick<ContinueOptions, "temperature" | "topP" | "seed" | "batch">,
    Pick<GeneratorOptions, "weights"> {
  /** The most tokens of an answer. Default 256. */
  readonly maxTokens?: number;
  /** Texts that an answer ends before. Default: none; it ends where the model ends it. */
  readonly stop?: string | readonly string[];
  /**
   * How a prompt becomes what the model reads: `chatml`, `vicuna`, or a text with `{prompt}` in it; `{prompt}` alone continues the prompt as it stands.
   * Default: as its run asked, else the template that the model's tokenizer speaks for.
   */
  readonly chat?: string;
}

/** What is asked, ready for a decoder. */
interface Prepared {
  readonly prompts: readonly Prompt[];
  readonly options: ContinueOptions;
}

const isOne = (prompts: Asked | readonly Asked[]): prompts is Asked => !Array.isArray(prompts);

/** The pictures of a question for a model. */
const picturesOf = (model: Model, question: Question, { platform = defaultPlatform }: GenerateOptions): PromptPictures => {
  const decode = exampleDecoder(platform);
  const pixels = pipe(
    question.pictures.map((_, k) => decode(pictureOf(question, k))),
    TE.sequenceSeqArray,
    TE.chainEitherK((images) => planesOf(model, question, images)),
  );
  return { count: question.pictures.length, pixels };
};

/** What is asked as a question to which no answer is known. */
const questionOf = (asked: Asked, i: number): Question => {
  const { prompt, pictures = [] } = typeof asked === "string" ? { prompt: asked } : asked;
  return { id: `prompt ${i + 1}`, prompt, pictures: pictures.map(referenceOf), answer: "" };
};

/** Makes tokens of what is asked. Fails with `BadOption` where the model does not answer in words, or a prompt and its pictures do not fit. */
const prepared = (
  { learner: { model }, asking: before }: Predictor,
  asked: Asked | readonly Asked[],
  options: GenerateOptions,
): E.Either<Failure, Prepared> => {
  const { chat = before?.chat, maxTokens = 256, stop = [], temperature, topP, seed, batch } = options;
  return pipe(
    askingOf(model, { chat }),
    E.bindTo("asking"),
    E.bind("template", ({ asking }) => asking.tokens(asking.chat.prompt("", 0), 0)),
    E.bind("prompts", ({ asking, template: { ids: template } }) =>
      pipe(
        isOne(asked) ? [asked] : asked,
        E.traverseArrayWithIndex((i, one) => {
          const question = questionOf(one, i);
          const { length: count } = question.pictures;
          return pipe(
            asking.tokens(asking.chat.prompt(question.prompt, count), count),
            E.map((tokens): Prompt => ({ ...tokens, template: template.length, ...(count === 0 ? {} : { pictures: picturesOf(model, question, options) }) })),
          );
        }),
      ),
    ),
    E.map(({ asking: { closing }, prompts }) => {
      const stops = [...(typeof stop === "string" ? [stop] : stop), ...closing.stop];
      return { prompts, options: { maxTokens, stop: stops, ends: closing.ends, temperature, topP, seed, batch } };
    }),
  );
};

async function* answering(
  predictor: Predictor,
  asked: Asked | readonly Asked[],
  options: GenerateOptions,
): AsyncGenerator<E.Either<Failure, AnswerPiece>, void, undefined> {
  const { learner, inference } = predictor;
  const ready = prepared(predictor, asked, options);
  if (E.isLeft(ready)) return yield ready;
  const device = await deviceOf(options.device ?? {})();
  if (E.isLeft(device)) return yield device;
  try {
    options.opened?.(lineOf(device.right));
    const generator = openGenerator({ learner, device: device.right, branch: inference?.through, signal: options.signal, weights: options.weights });
    if (E.isLeft(generator)) return yield generator;
    try {
      yield* generator.right.pieces(ready.right.prompts, ready.right.options);
    } finally {
      generator.right.release();
    }
  } finally {
    await device.right.close();
  }
}

/**
 * The answers of a learner to prompts piece by piece, as its model writes them: each piece says which prompt it belongs to, and the last one of a prompt what
 * `ended` it. A failure is the last that comes. The model stays on the device as long as pieces are asked for; who leaves the loop releases it. Everything
 * else is as in {@link generate}.
 *
 * ```ts
 * const opened = await openLearner(`${folder}/smollm2`)();
 * if (opened._tag === "Right") {
 *   for await (const piece of generating(opened.right, "What is the capital of France?")) {
 *     if (piece._tag === "Right") process.stdout.write(piece.right.text);
 *   }
 * }
 * assert.equal(opened._tag, "Left"); // There is no such model.
 * ```
 */
export const generating = (
  learner: Learner | Predictor,
  prompts: Asked | readonly Asked[],
  options: GenerateOptions = {},
): AsyncIterable<E.Either<Failure, AnswerPiece>> => answering(predictorOf(learner), prompts, options);

/**
 * Answers prompts by a learner whose model writes texts, a Llama or a LLaVA, in batches, each answer token by token: the likeliest one, or one that is drawn
 * where `temperature` is above 0. The learner of a run is asked as its method evaluates it. Gives the answers in the order of the prompts, with their tokens
 * and what `ended` them: `end` (the model ended it), `stop`, or `length` (`maxTokens`, or the most tokens that the model takes). Fails with `BadOption` where
 * the learner tells classes apart and writes no text, where a prompt is longer than the model takes, or has not as many places for pictures as pictures; as
 * pictures do; and as a device does.
 *
 * ```ts
 * const encode = (text: string) => [...new TextEncoder().encode(text)];
 * const decode = (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids));
 * const textTokenizer = { encode, decode, eos: [0], pad: 0, id: () => undefined };
 * const shape = { width: 8, mlpWidth: 16, layers: 1, heads: 2, keyHeads: 1, headWidth: 4, eps: 1e-5, theta: 1e4, biased: [] };
 * const config = { family: "llama", ...shape, vocabulary: 256, context: 64, tied: true, eos: [0] } as const;
 * const fresh = learner(model.initialModel(model.llama, config, 1, { textTokenizer }));
 * const [once, twice] = await get(generate(fresh, ["Once", "Twice upon"], { maxTokens: 4, temperature: 1, seed: 8 }));
 * assert.ok(once.tokens.length <= 4 && twice.tokens.length <= 4);
 * ```
 */
export const generate = (
  learner: Learner | Predictor,
  prompts: Asked | readonly Asked[],
  options: GenerateOptions = {},
): TE.TaskEither<Failure, readonly Generated[]> => gathered(isOne(prompts) ? 1 : prompts.length, generating(learner, prompts, options));
