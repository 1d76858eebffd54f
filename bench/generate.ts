/**
 * How fast a language model writes: the first token, and tokens a second, with keys and values kept.
 *
 *     npm run bench:generate -- FOLDER [tokens] [prompt]
 *
 * FOLDER is that of a model, of SmolLM2-135M say. Prompts of `prompt` tokens (default 32) are continued by `tokens` tokens (default 64), the likeliest ones, one
 * at a time and eight at a time. Binding the programs of a shape is told apart; the first token is the median of three times; the tokens are those of all texts
 * of a batch. `python bench/torch_generate.py FOLDER` measures the same in torch.
 */
import * as E from "fp-ts/lib/Either.js";
import { flag, some, whole } from "../src/cli/flags.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { withDevice } from "../src/device/open.ts";
import type { Device } from "../src/device/device.ts";
import { resident } from "../src/device/resident.ts";
import { openDecoding, type DecodingOptions } from "../src/language/decoding.ts";
import { argmax } from "../src/language/sampling.ts";
import { learner } from "../src/model/learner.ts";
import { readModel } from "../src/model/model.ts";
import { random } from "../src/random.ts";
import { given } from "./arguments.ts";

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

const seconds = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];

/** The likeliest token of every text. */
const likeliest = (logits: Float32Array, texts: number): Uint32Array => {
  const vocabulary = logits.length / texts;
  return Uint32Array.from({ length: texts }, (_, i) => argmax(logits.subarray(i * vocabulary, (i + 1) * vocabulary)));
};

const measure = async (options: DecodingOptions, vocabulary: number, texts: number, length: number, tokens: number): Promise<string> => {
  const shape = { texts, length, images: 0, capacity: length + tokens };
  const start = performance.now();
  const decoding = await get(openDecoding(options, shape));
  const bound = (performance.now() - start) / 1000;
  try {
    const draw = random(1, "prompts", texts);
    const inputs = { ids: Uint32Array.from({ length: texts * length }, () => draw.integer(vocabulary)), starts: new Uint32Array(texts) };
    let logits = await get(decoding.prompts(inputs));
    const firsts: number[] = [];
    for (let i = 0; i < 3; i++) {
      firsts.push(
        await seconds(async () => {
          logits = await get(decoding.prompts(inputs));
        }),
      );
    }
    const rest = await seconds(async () => {
      for (let i = 0; i < tokens; i++) logits = await get(decoding.next(likeliest(logits, texts)));
    });
    const rate = (texts * tokens) / rest;
    return `${texts} at a time: bound in ${bound.toFixed(2)} s, first token after ${median(firsts).toFixed(2)} s, then ${rate.toFixed(1)} tokens a second (${((1000 * rest) / tokens).toFixed(0)} ms a step)`;
  } finally {
    decoding.release();
  }
};

const bench = async (device: Device, folder: string, tokens: number, length: number): Promise<void> => {
  const model = await get(readModel(folder));
  const { decoder, name } = model.architecture;
  if (decoder === undefined) throw new Error(`a ${name} writes no text`);
  const weights = value(resident(device, model.weights));
  console.log(`${folder}, ${length} tokens continued by ${tokens}`);
  for (const texts of [1, 8]) console.log(await measure({ learner: learner(model), device, weights }, decoder.vocabulary(model.config), texts, length, tokens));
  weights.release();
};

const { folder, tokens, prompt } = given({
  called: "npm run bench:generate -- FOLDER [tokens] [prompt]",
  operands: {
    folder: flag(some, "FOLDER", "the folder of a language model"),
    tokens: flag(whole(2), "N", "tokens that are written", 64),
    prompt: flag(whole(1), "N", "tokens of a prompt", 32),
  },
});
await get(
  withDevice({})((device) => async () => {
    console.log(device.adapter.line);
    await bench(device, folder, tokens, prompt);
    return E.right(undefined);
  }),
);
