/** Continues prompts token by token: greedily or drawn, in batches, piece by piece or as a whole. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { resident, type Resident } from "../device/resident.ts";
import type { Failure } from "../failure.ts";
import { firstNotFinite } from "../formats/hostTensor.ts";
import { random } from "../random.ts";
import { withShapeFailures } from "../tensor/shapeFailures.ts";
import { answer, type Addition, type Ended } from "./answer.ts";
import { pictureTokensOf } from "./asking.ts";
import { openDecoding, type Decoding, type DecodingOptions } from "./decoding.ts";
import { batchesOf, type PromptBatch } from "./promptBatches.ts";
import { checkedOptions, checkedPrompts, continuingOf, type Continuing, type ContinueOptions, type Prompt } from "./prompts.ts";
import { sample } from "./sampling.ts";

/** What came of a prompt. */
export interface Generated {
  readonly text: string;
  /** The tokens of the answer, but the one that ended it. */
  readonly tokens: readonly number[];
  /** What ended it: an end token, a stop string (the text ends before it), or the most tokens that were asked for or that the model takes. */
  readonly ended: Ended;
}

/** A part of an answer, as it comes. The last one of a prompt says what `ended` it. */
export interface AnswerPiece extends Addition {
  /** The place of its prompt. */
  readonly prompt: number;
}

/** Continues prompts by one learner's model until it is released. */
export interface Generator {
  /** The answers piece by piece, as they come; a failure is the last. */
  readonly pieces: (prompts: readonly Prompt[], options: ContinueOptions) => AsyncGenerator<E.Either<Failure, AnswerPiece>, void, undefined>;
  /** The answers, in the order of the prompts. */
  readonly all: (prompts: readonly Prompt[], options: ContinueOptions) => TE.TaskEither<Failure, readonly Generated[]>;
  readonly release: () => void;
}

/** Options of {@link openGenerator}. */
export interface GeneratorOptions extends Omit<DecodingOptions, "weights"> {
  /** The weights of the model where they are on the device already, as `streamModel` puts them; they stay. Default: those of the learner are uploaded. */
  readonly weights?: Resident;
  /** Aborted when generation should stop: it ends with `Interrupted` before the next token. */
  readonly signal?: { readonly aborted: boolean };
}

const notFinite: Failure = {
  _tag: "NotFinite",
  what: "A logit of a next token",
  advice: "the model's weights are too large to compute with: they are damaged, or were trained at too high a rate",
};

/** Continues the prompts of a batch until all answers have ended. */
async function* batchPieces(
  decoding: Decoding,
  { places, limits, inputs }: PromptBatch,
  { tokenizer }: Continuing,
  { seed = 0, stop = [], ends = [], ...sampling }: ContinueOptions,
  signal: GeneratorOptions["signal"],
): AsyncGenerator<E.Either<Failure, AnswerPiece>, void, undefined> {
  const answers = limits.map((limit) => answer({ ...tokenizer, eos: [...tokenizer.eos, ...ends] }, stop, limit));
  const tokens = new Uint32Array(places.length);
  let compute = pipe(inputs, TE.chain(decoding.prompts));
  for (let step = 0; answers.some(({ ended }) => !ended()); step++) {
    if (signal?.aborted) return yield E.left({ _tag: "Interrupted" });
    const logits = await withShapeFailures(() => compute)();
    if (E.isLeft(logits)) return yield logits;
    const vocabulary = logits.right.length / places.length;
    for (const [row, { take, ended }] of answers.entries()) {
      if (ended()) continue;
      const own = logits.right.subarray(row * vocabulary, (row + 1) * vocabulary);
      if (firstNotFinite(own) >= 0) return yield E.left(notFinite);
      tokens[row] = sample(own, sampling, () => random(seed, "generate", places[row], step));
      const addition = take(tokens[row]);
      if (addition !== undefined) yield E.right({ prompt: places[row], ...addition });
    }
    compute = decoding.next(tokens);
  }
}

/** Continues batch after batch; the programs of a shape are bound once for all batches that follow one another and have it. */
async function* allPieces(
  opened: DecodingOptions,
  batches: readonly PromptBatch[],
  continuing: Continuing,
  options: ContinueOptions,
  signal: GeneratorOptions["signal"],
): AsyncGenerator<E.Either<Failure, AnswerPiece>, void, undefined> {
  let [bound, decoding]: [string | undefined, Decoding | undefined] = [undefined, undefined];
  try {
    for (const batch of batches) {
      const shape = JSON.stringify(batch.shape);
      if (shape !== bound) {
        decoding?.release();
        [bound, decoding] = [undefined, undefined];
        const next = await withShapeFailures(() => openDecoding(opened, batch.shape))();
        if (E.isLeft(next)) return yield next;
        [bound, decoding] = [shape, next.right];
      }
      for await (const piece of batchPieces(decoding!, batch, continuing, options, signal)) {
        yield piece;
        if (E.isLeft(piece)) return;
      }
    }
  } finally {
    decoding?.release();
  }
}

/** The answers to so many prompts out of their pieces, once all have come. Fails with the failure among them. */
export const gathered =
  (count: number, pieces: AsyncIterable<E.Either<Failure, AnswerPiece>>): TE.TaskEither<Failure, readonly Generated[]> =>
  async () => {
    const answers = Array.from({ length: count }, () => ({ text: "", tokens: [] as number[], ended: "length" as Ended }));
    for await (const piece of pieces) {
      if (E.isLeft(piece)) return piece;
      const { prompt, text, tokens, ended } = piece.right;
      const own = answers[prompt];
      own.text += text;
      own.tokens.push(...tokens);
      own.ended = ended ?? own.ended;
    }
    return E.right(answers);
  };

/**
 * Makes the generator of a learner, whose model must answer in words; else it fails with `BadOption`. Its weights are uploaded when it first has prompts that
 * it can continue, which fails with `OverLimit`.
 */
export const openGenerator = ({ signal, weights: there, ...rest }: GeneratorOptions): E.Either<Failure, Generator> => {
  const { learner, device } = rest;
  return pipe(
    continuingOf(learner.model),
    E.map((continuing): Generator => {
      const { config } = learner.model;
      const { decoder, tokenizer } = continuing;
      let uploaded: E.Either<Failure, Resident> | undefined;
      const pieces: Generator["pieces"] = async function* (prompts, options) {
        const checked = pipe(
          checkedOptions(options),
          E.chain(() => checkedPrompts(prompts, decoder, config)),
          E.chain(() => (there === undefined ? (uploaded ??= resident(device, learner.model.weights)) : E.right(there))),
        );
        if (E.isLeft(checked)) return yield checked;
        const weights = checked.right;
        const { maxTokens, batch = 8 } = options;
        const [context, pictureTokens] = [decoder.context(config), pictureTokensOf(learner.model)];
        const batches = batchesOf(prompts, { maxTokens, batch, context, pictureTokens, pad: tokenizer.pad });
        yield* allPieces({ ...rest, weights }, batches, continuing, options, signal);
      };
      return {
        pieces,
        all: (prompts, options) => gathered(prompts.length, pieces(prompts, options)),
        release: () => {
          if (uploaded !== undefined && E.isRight(uploaded)) uploaded.right.release();
        },
      };
    }),
  );
};

/**
 * Uses a generator, and releases it whatever happens. Fails as {@link openGenerator} does.
 *
 * ```ts
 * const textTokenizer = { encode: () => [1], decode: (ids: readonly number[]) => ids.join(" "), eos: [0], pad: 0, id: () => undefined };
 * const shape = { width: 8, mlpWidth: 16, layers: 1, heads: 2, keyHeads: 1, headWidth: 4, eps: 1e-5, theta: 1e4, biased: [] };
 * const config = { family: "llama", ...shape, vocabulary: 32, context: 16, tied: true, eos: [0] } as const;
 * const fresh = learner(model.initialModel(model.llama, config, 1, { textTokenizer }));
 * const prompts = [{ ids: [1, 2, 3] }, { ids: [4] }];
 * const answers = await get(withDevice({})((device) =>
 *   language.withGenerator({ learner: fresh, device })((generator) => generator.all(prompts, { maxTokens: 2 }))));
 * assert.equal(answers.length, 2);
 * ```
 */
export const withGenerator =
  (options: GeneratorOptions) =>
  <A>(use: (generator: Generator) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  async () => {
    const opened = openGenerator(options);
    if (E.isLeft(opened)) return opened;
    try {
      return await withShapeFailures(() => use(opened.right))();
    } finally {
      opened.right.release();
    }
  };
