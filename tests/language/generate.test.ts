/** Generation on a tiny random Llama: with keys and values kept as without, in batches as one by one, in pieces as a whole; how it ends, and what is refused. */
import * as E from "fp-ts/lib/Either.js";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { resident } from "../../src/device/resident.ts";
import { get } from "../../src/failure.ts";
import { argmax } from "../../src/language/sampling.ts";
import { openGenerator, withGenerator, type Generated, type Generator, type AnswerPiece } from "../../src/language/generate.ts";
import type { ContinueOptions, Prompt } from "../../src/language/prompts.ts";
import { learner } from "../../src/model/learner.ts";
import type { Model } from "../../src/model/model.ts";
import { byteLlama, byteTokenizer } from "../fixtures/byteLlama.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";
import { outputsFor, rowsOf } from "../model/decoders.ts";
import { ShapeError } from "../../src/tensor/tensor.ts";
import { deviceTest, failureOf, orThrow, runTests } from "../tensor/check.ts";

const model = byteLlama();
const texts = ["Once upon", "a", "The quick brown fox jumps", "é 1 2 3", "xyz"];
const prompts: readonly Prompt[] = texts.map((text) => ({ ids: byteTokenizer.encode(text) }));

const all = (device: Device, options: ContinueOptions, given = prompts, of: Model = model): Promise<readonly Generated[]> =>
  get(withGenerator({ learner: learner(of), device })((generator) => generator.all(given, options)));

/** The likeliest tokens after a prompt, each computed from all tokens before it. */
const uncached = async (device: Device, ids: readonly number[], count: number): Promise<readonly number[]> => {
  const found = [...ids];
  for (let i = 0; i < count; i++) {
    const rows = rowsOf({ shape: [1, found.length], data: Float32Array.from(found) }, [found.length], true, (length) => [length - 1]);
    found.push(argmax((await outputsFor(device, model, rows, ["logits"])).logits));
  }
  return found.slice(ids.length);
};

const tokensOf = (answers: readonly Generated[]): readonly (readonly number[])[] => answers.map(({ tokens }) => tokens);

deviceTest("kept keys and values give the tokens that all tokens before give, in batches of any size", async (device) => {
  const want: (readonly number[])[] = [];
  for (const { ids } of prompts) want.push(await uncached(device, ids, 8));
  assert.ok(new Set(want.flat()).size > 10, "the model says too little to tell anything");
  for (const batch of [1, 2, 3, 8]) {
    const got = await all(device, { maxTokens: 8, batch });
    assert.equal(tokensOf(got), want, `batches of ${batch}`);
    for (const { ended } of got) assert.is(ended, "length");
  }
});

deviceTest("pieces come in the order of tokens and make the whole; a reader that leaves releases the programs", async (device) => {
  const { liveBytes } = device.ledger();
  const weights = orThrow(resident(device, model.weights));
  const resting = device.ledger().liveBytes;
  weights.release();
  const generator = orThrow(openGenerator({ learner: learner(model), device }));
  assert.is(device.ledger().liveBytes, liveBytes, "nothing is uploaded before it is needed");
  const whole = await get(generator.all(prompts, { maxTokens: 6 }));
  assert.is(device.ledger().liveBytes, resting);
  const found: AnswerPiece[] = [];
  for await (const piece of generator.pieces(prompts, { maxTokens: 6 })) found.push(orThrow(piece));
  prompts.forEach((_, i) => {
    const own = found.filter(({ prompt }) => prompt === i);
    assert.is(own.map(({ text }) => text).join(""), whole[i].text);
    assert.equal(
      own.flatMap(({ tokens }) => tokens),
      whole[i].tokens,
    );
    assert.equal(
      own.map(({ ended }) => ended),
      own.map((_, k) => (k === own.length - 1 ? "length" : undefined)),
    );
  });
  for await (const piece of generator.pieces(prompts, { maxTokens: 6 })) {
    orThrow(piece);
    break;
  }
  assert.is(device.ledger().liveBytes, resting);
  generator.release();
  assert.is(device.ledger().liveBytes, liveBytes);
});

deviceTest("an answer ends at an end token, before a stop string, or at the context", async (device) => {
  const [{ tokens }] = await all(device, { maxTokens: 8 }, [prompts[0]]);
  const third = tokens.findIndex((token, i) => i >= 2 && !tokens.slice(0, i).includes(token));
  assert.ok(third > 0);
  const ending = { ...model, textTokenizer: { ...byteTokenizer, eos: [tokens[third], 256] } };
  const [ended] = await all(device, { maxTokens: 8 }, [prompts[0]], ending);
  assert.equal([ended.tokens, ended.ended], [tokens.slice(0, third), "end"]);

  // Tokens as letters, so that every token has a text.
  const letters = { ...model, textTokenizer: { ...byteTokenizer, decode: (ids: readonly number[]) => ids.map((id) => `<${id}>`).join("") } };
  const stop = [`${tokens[third]}>`];
  const [stopped] = await all(device, { maxTokens: 8, stop }, [prompts[0]], letters);
  assert.equal(
    [stopped.text, stopped.ended],
    [
      `${tokens
        .slice(0, third)
        .map((id) => `<${id}>`)
        .join("")}<`,
      "stop",
    ],
  );
  assert.equal(stopped.tokens, tokens.slice(0, third + 1));

  const long = [...Array(60).keys()];
  const [full] = await all(device, { maxTokens: 50 }, [{ ids: long }]);
  assert.equal([full.tokens.length, full.ended], [5, "length"]);
  assert.equal(full.tokens, await uncached(device, long, 5));
});

deviceTest("drawn tokens depend on the seed and the prompt's place, and not on the batch", async (device) => {
  const draw = async (seed: number, batch: number): Promise<readonly (readonly number[])[]> =>
    tokensOf(await all(device, { maxTokens: 6, temperature: 1.5, topP: 0.95, seed, batch }));
  const [one, again, other] = [await draw(1, 8), await draw(1, 2), await draw(2, 8)];
  assert.equal(again, one);
  assert.not.equal(other, one);
  assert.equal(tokensOf(await all(device, { maxTokens: 6, temperature: 1e-6, seed: 1 })), tokensOf(await all(device, { maxTokens: 6 })));
  assert.equal(tokensOf(await all(device, { maxTokens: 6, temperature: 1, topP: 1e-9, seed: 1 })), tokensOf(await all(device, { maxTokens: 6 })));
});

deviceTest("nothing is generated for no prompts", async (device) => assert.equal(await all(device, { maxTokens: 3 }, []), []));

deviceTest("what cannot be continued is said before the first step", async (device) => {
  const { created } = device.ledger();
  const refusal = async (options: Partial<ContinueOptions>, given: readonly Prompt[] = prompts): Promise<unknown> => {
    const failure = failureOf(await withGenerator({ learner: learner(model), device })((g: Generator) => g.all(given, { maxTokens: 2, ...options }))());
    assert.is(failure._tag, "BadOption");
    return failure._tag === "BadOption" && [failure.option, failure.detail];
  };
  assert.equal(await refusal({}, [{ ids: [] }]), ["prompt", "it is empty; a model continues one token at least"]);
  assert.equal(await refusal({}, [prompts[0], { ids: Array<number>(65).fill(1) }]), ["prompt", "number 2 has 65 tokens, and the model takes 64; shorten it"]);
  assert.equal(await refusal({}, [{ ids: [3, 258] }]), [
    "prompt",
    "it has the token 258, and the model knows those below 258; the tokenizer is that of another model",
  ]);
  assert.equal(await refusal({ maxTokens: 0 }), ["maxTokens", "is 0, not a whole number from 1 on"]);
  assert.equal(await refusal({ stop: ["a", ""] }), ["stop", "an empty text would end every answer before it begins"]);
  assert.equal(await refusal({ temperature: Number.NaN }), ["temperature", "is NaN, not a number from 0 on"]);
  assert.equal(await refusal({ topP: 0 }), ["topP", "is 0, not a share above 0 and up to 1"]);
  assert.equal(await refusal({ seed: 1.5 }), ["seed", "is 1.5, not a whole number"]);
  assert.equal(await refusal({ batch: 1.5 }), ["batch", "is 1.5, not a whole number from 1 on"]);
  assert.is(device.ledger().created, created, "nothing was uploaded");
});

deviceTest("what throws a ShapeError while prompts are continued is a failure", async (device) => {
  const { liveBytes } = device.ledger();
  const pixels = async (): Promise<never> => {
    throw new ShapeError("pixels", "of another size");
  };
  const shown = { ids: [1], pictures: { count: 1, pixels } };
  const run = withGenerator({ learner: learner(model), device })((generator) => generator.all([shown], { maxTokens: 1 }));
  assert.equal(failureOf(await run()), { _tag: "ShapeMismatch", op: "pixels", detail: "of another size" });
  assert.is(device.ledger().liveBytes, liveBytes);
});

deviceTest("a model that tells classes apart, one without a tokenizer, and one that is not finite are refused", async (device) => {
  const { liveBytes } = device.ledger();
  const refused = async (of: Model): Promise<unknown> =>
    failureOf(await withGenerator({ learner: learner(of), device })((generator) => generator.all(prompts, { maxTokens: 2 }))());
  assert.equal(await refused(await tinyClip()), {
    _tag: "BadOption",
    option: "model",
    detail: "a clip tells classes apart and writes no text; give a language model",
  });
  assert.equal(await refused({ ...model, textTokenizer: undefined }), {
    _tag: "BadOption",
    option: "model",
    detail: "this llama has no tokenizer; give the folder that has its tokenizer.json",
  });
  const weights = new Map(model.weights);
  const [name, { shape, data }] = [...weights].find(([key]) => key.startsWith("lm_head"))!;
  weights.set(name, { shape, data: data.map(() => Number.NaN) });
  const failure = (await refused({ ...model, weights })) as { readonly _tag: string };
  assert.is(failure._tag, "NotFinite");
  assert.is(device.ledger().liveBytes, liveBytes);
});

deviceTest("generation stops on request before the next token", async (device) => {
  const signal = { aborted: false };
  const generator = orThrow(openGenerator({ learner: learner(model), device, signal }));
  let count = 0;
  let last: unknown;
  for await (const piece of generator.pieces([prompts[0]], { maxTokens: 8 })) {
    last = piece;
    count += 1;
    signal.aborted = true;
  }
  assert.equal(last, E.left({ _tag: "Interrupted" }));
  assert.ok(count <= 3);
  generator.release();
});

runTests();
