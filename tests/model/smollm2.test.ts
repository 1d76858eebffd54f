/** SmolLM2-135M-Instruct, real weights: logits, log-likelihoods and a training step through LoRA. CAMBIUM_SMOLLM2 names its folder; without it all is skipped. */
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { elements } from "../../src/formats/hostTensor.ts";
import { readSafetensorsMetadata } from "../../src/formats/safetensors.ts";
import { readModel, type Model } from "../../src/model/model.ts";
import { deviceTestWith, largestDifference, runTests } from "../tensor/check.ts";
import { outputsFor, rowsOf } from "./decoders.ts";
import { fixture, goldenOf } from "./embeddings.ts";

const { CAMBIUM_SMOLLM2: folder = "" } = process.env;
const missing = "CAMBIUM_SMOLLM2, the folder of SmolLM2-135M-Instruct";
const smolTest = deviceTestWith(folder !== "", missing);

let opened: Promise<Model> | undefined;
const smollm2 = (): Promise<Model> => (opened ??= get(readModel(folder)));

interface Golden {
  readonly prompts: readonly { readonly prompt: string; readonly ids: readonly number[] }[];
  readonly sentence: string;
  readonly sentence_ids: readonly number[];
}
const golden = JSON.parse(readFileSync(fixture("smollm2.json"), "utf8")) as Golden;

/** Rows of tokens side by side, padded on the left. */
const padded = (rows: readonly (readonly number[])[]): { readonly shape: readonly number[]; readonly data: Float32Array } => {
  const longest = Math.max(...rows.map((row) => row.length));
  const data = new Float32Array(rows.length * longest);
  rows.forEach((row, i) => data.set(row, (i + 1) * longest - row.length));
  return { shape: [rows.length, longest], data };
};

smolTest("SmolLM2: 134,515,008 parameters, read from f16; its tokenizer has transformers' ids", async () => {
  const { weights, dtype, textTokenizer, architecture } = await smollm2();
  assert.equal([architecture.name, dtype], ["llama", "f16"]);
  assert.is(
    [...weights.values()].reduce((n, { shape }) => n + elements(shape), 0),
    134_515_008,
  );
  for (const { prompt, ids } of golden.prompts) assert.equal(textTokenizer!.encode(prompt), ids);
  assert.equal([textTokenizer!.eos, textTokenizer!.bos], [[2], undefined]);
});

smolTest("SmolLM2: logits of padded prompts are transformers'", async (device) => {
  const model = await smollm2();
  const { last, stride } = await get(readSafetensorsMetadata(fixture("smollm2.safetensors")));
  const want = (await goldenOf("smollm2.safetensors"))("logits").data;
  const rows = golden.prompts.map(({ ids }) => ids);
  const chosen = rowsOf(
    padded(rows),
    rows.map(({ length }) => length),
    true,
    (length) => Array.from({ length: Number(last) }, (_, i) => length - Number(last) + i),
  );
  const { logits } = await outputsFor(device, model, chosen, ["logits"]);
  const { vocabulary } = model.config;
  const seen = Float32Array.from({ length: want.length }, (_, i) => {
    const columns = Math.ceil(vocabulary / Number(stride));
    return logits[Math.floor(i / columns) * vocabulary + (i % columns) * Number(stride)];
  });
  const off = largestDifference(seen, want);
  assert.ok(off < 1e-3, `off by ${off}`);
});

smolTest("SmolLM2: the likelihood of a sentence is transformers'", async (device) => {
  const model = await smollm2();
  const ids = model.textTokenizer!.encode(golden.sentence);
  assert.equal(ids, golden.sentence_ids);
  const rows = rowsOf(padded([ids]), [ids.length], false, (length) => Array.from({ length: length - 1 }, (_, i) => i));
  const { answerLoss } = await outputsFor(device, model, rows, ["answerLoss"]);
  const want = (await goldenOf("smollm2.safetensors"))("nll").data[0];
  assert.ok(Math.abs(answerLoss[0] - want) < 1e-4, `${answerLoss[0]}, not ${want}`);
});

runTests();
