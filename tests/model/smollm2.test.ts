/** SmolLM2-135M-Instruct, real weights: logits, log-likelihoods and a training step through LoRA. CAMBIUM_SMOLLM2 names its folder; without it all is skipped. */
import { readFileSync } from "node:fs";
import * as assert from "uvu/assert";
import { get } from "../../src/failure.ts";
import { trainableParameters } from "../../src/model/adapters/adapter.ts";
import { lora } from "../../src/model/adapters/lora.ts";
import { gradient, repeat, update } from "../../src/stages/steps.ts";
import { openSession } from "../../src/tensor/session.ts";
import { answers } from "../../src/training/objective.ts";
import { adamW } from "../../src/training/optimizer.ts";
import { constantly } from "../../src/training/schedule.ts";
import { traceStep } from "../../src/training/step.ts";
import { elements } from "../../src/formats/hostTensor.ts";
import { readSafetensorsMetadata } from "../../src/formats/safetensors.ts";
import { networkOf, readModel, type Model } from "../../src/model/model.ts";
import { deviceTestWith, largestDifference, orThrow, runTests } from "../tensor/check.ts";
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

smolTest("SmolLM2: LoRA on all linear layers learns two rows of 32 tokens, in steps of AdamW", async (device) => {
  const model = await smollm2();
  const net = networkOf(model);
  const adapter = lora({ rank: 16 });
  assert.is(trainableParameters(adapter, net), 4_884_480);
  const rows = golden.prompts.slice(0, 2).map(({ ids }) => ids.slice(0, 32));
  const { ids, starts, positions, next } = rowsOf(padded(rows), [32, 32], false, () => [24, 25, 26, 27, 28, 29, 30]);
  const { step } = repeat(3, gradient(answers), update(adamW({ lr: constantly(1e-3) })));
  const batch = { images: 0, texts: 2, length: 32, positions: positions.length, previous: 0 };
  const { program, recorder } = orThrow(traceStep({ model, adapter, step, steps: 3, batch }));
  const session = await get(openSession(device, program, { weights: model.weights, record: ["loss"] }));
  try {
    orThrow(session.write(adapter.initial(net, model.weights, 1, 0)));
    const share = new Float32Array(positions.length).fill(1 / positions.length);
    const inputs = { ids: ids.data, starts: starts.data, positions: Uint32Array.from(positions), next: Uint32Array.from(next), share };
    for (const at of [0, 1, 2]) {
      const hypers = Object.fromEntries([...recorder.hypers].map(([name, values]) => [name, Float32Array.from(values, (value) => value(at))]));
      const started = performance.now();
      orThrow(session.run({ ...inputs, ...hypers }));
      await get(device.settled);
      if (process.env.CAMBIUM_TIMES !== undefined) console.log(`step ${at}: ${Math.round(performance.now() - started)} ms, ${device.ledger().peakBytes} bytes`);
    }
    const [first, , last] = await get(session.recorded("loss"));
    assert.ok(last < first && Number.isFinite(last), `${first}, then ${last}`);
  } finally {
    session.release();
  }
});

runTests();
