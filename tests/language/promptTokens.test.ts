/** The tokens of prompts with pictures: transformers' LlavaProcessor's (golden file), and what is said where texts and pictures do not fit. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { promptTokens } from "../../src/language/promptTokens.ts";
import { readModel, type Model } from "../../src/model/model.ts";
import { failureOf, orThrow, runTests } from "../tensor/check.ts";
import { fixture, goldenOf } from "../model/embeddings.ts";

const prompts = [
  ["USER: <image>\nWhat is in the picture? ASSISTANT:", 1],
  ["<image> and <image>: which of both is grey?", 2],
] as const;

test("ids are LlavaProcessor's, and the tokens of pictures are picked in their order", async () => {
  const [model, golden] = [await get(readModel(fixture("llava-tiny"))), await goldenOf("llava-tiny/golden.safetensors")];
  for (const [i, [text, pictures]] of prompts.entries()) {
    const { ids, picks } = orThrow(promptTokens(model, text, pictures));
    assert.equal(ids, [...golden(`ids.${i}`).data]);
    assert.equal(
      picks.filter((pick) => pick > 0),
      Array.from({ length: 16 * pictures }, (_, k) => k + 1),
    );
    assert.ok(ids.every((id, k) => (id === 300) === picks[k] > 0));
  }
});

test("a text that begins as texts do gets no second token of that", async () => {
  const model = await get(readModel(fixture("llava-tiny")));
  assert.equal(orThrow(promptTokens(model, "<s>a")).ids, orThrow(promptTokens(model, "a")).ids);
});

test("every picture has a place, and every place a picture", async () => {
  const [llava, llama, vit] = await Promise.all(["llava-tiny", "llama-grouped", "vit-tiny"].map((name) => get(readModel(fixture(name)))));
  const said = (model: Model, text: string, pictures: number): string => describe(failureOf(promptTokens(model, text, pictures)));
  assert.is(said(llava, "Who?", 1), 'prompt: "Who?" has 0 places for pictures (<image>), and 1 picture came with it');
  assert.is(said(llava, "<image>", 2), 'prompt: "<image>" has 1 place for pictures (<image>), and 2 pictures came with it');
  assert.is(said({ ...llama, textTokenizer: llava.textTokenizer! }, "Who?", 1), "prompt: a llama sees no pictures, and 1 picture came with the text");
  assert.is(said(vit, "Who?", 0), "model: a vit tells classes apart and writes no text; give a language model");
});

runTests();
