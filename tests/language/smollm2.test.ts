/** SmolLM2-135M-Instruct, real weights: greedy answers are transformers'. CAMBIUM_SMOLLM2 names its folder; without it all is skipped. */
import { readFileSync } from "node:fs";
import process from "node:process";
import * as assert from "uvu/assert";
import { generate } from "../../src/afterwards/generate.ts";
import { get } from "../../src/failure.ts";
import { withGenerator } from "../../src/language/generate.ts";
import { learner } from "../../src/model/learner.ts";
import { readModel, type Model } from "../../src/model/model.ts";
import { deviceTestWith, runTests } from "../tensor/check.ts";

const { CAMBIUM_SMOLLM2: folder = "" } = process.env;
const smolTest = deviceTestWith(folder !== "", "CAMBIUM_SMOLLM2, the folder of SmolLM2-135M-Instruct");

let opened: Promise<Model> | undefined;
const smollm2 = (): Promise<Model> => (opened ??= get(readModel(folder)));

interface Golden {
  readonly prompts: readonly { readonly question: string; readonly ids: readonly number[]; readonly greedy: readonly number[]; readonly answer: string }[];
}
const { prompts } = JSON.parse(readFileSync("tests/fixtures/smollm2.json", "utf8")) as Golden;

smolTest("SmolLM2: 20 greedy tokens of prompts in one batch are transformers'", async (device) => {
  const model = await smollm2();
  const { eos } = model.textTokenizer!;
  const answers = await get(withGenerator({ learner: learner(model), device })((generator) => generator.all(prompts, { maxTokens: 20 })));
  answers.forEach(({ tokens, ended }, i) => {
    const { greedy } = prompts[i];
    const over = eos.includes(greedy[greedy.length - 1]);
    assert.equal(tokens, over ? greedy.slice(0, -1) : greedy, prompts[i].question);
    assert.is(ended, over ? "end" : "length");
  });
});

smolTest("SmolLM2 knows the capital of France", async (device) => {
  const [{ text, ended }] = await get(generate(learner(await smollm2()), "What is the capital of France?", { device, maxTokens: 20 }));
  assert.equal([text, ended], ["The capital of France is Paris.", "end"]);
});

runTests();
