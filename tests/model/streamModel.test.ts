/** Weights that go to the device part by part: the same numbers as those of a model that is read whole, and what is said of damaged shards. */
import { readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { resident } from "../../src/device/resident.ts";
import { describe, get } from "../../src/failure.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { networkOf, outputsOf, readModel, type Model } from "../../src/model/model.ts";
import { frozenScope } from "../../src/model/scope.ts";
import { streamModel, type StreamedModel } from "../../src/model/streamModel.ts";
import { withSession } from "../../src/tensor/session.ts";
import { temporaryFolder } from "../fixtures/datasets.ts";
import { deviceTest, failureOf, orThrow, runTests, sameBits } from "../tensor/check.ts";
import { fixture } from "./embeddings.ts";

const { dir: root, remove } = temporaryFolder("stream");
test.after(remove);

/** The tiny LLaVA in two shards, with something done to its tensors. */
const sharded = async (name: string, change: (tensors: Awaited<ReturnType<typeof tensorsOf>>) => void = () => undefined): Promise<string> => {
  const dir = join(root, name);
  await mkdir(dir);
  for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json", "processor_config.json"])
    writeFileSync(join(dir, file), readFileSync(join(fixture("llava-tiny"), file)));
  const tensors = await tensorsOf();
  change(tensors);
  const names = [...tensors.keys()];
  const parts = [names.slice(0, 50), names.slice(50)];
  const map: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    const file = `model-0000${i + 1}-of-00002.safetensors`;
    for (const one of part) map[one] = file;
    await get(writeSafetensors(join(dir, file), new Map(part.map((one) => [one, tensors.get(one)!])), { dtype: i === 0 ? "f16" : "f32" }));
  }
  writeFileSync(join(dir, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: map }));
  return dir;
};
const tensorsOf = async () => new Map(await get(readSafetensors(join(fixture("llava-tiny"), "model.safetensors"))));

/** The logits of a few tokens. */
const logitsOf = (device: Device, model: Model, weights: StreamedModel["weights"]): Promise<Float32Array> =>
  get(
    withSession(
      device,
      (leaves) => {
        const scope = frozenScope(networkOf(model), leaves.frozen);
        const { logits } = outputsOf(model, leaves, { images: 1, texts: 1, length: 20, positions: 2 }, scope);
        return { _tag: "Right", right: { outputs: { logits } } };
      },
      { weights },
    )((session) => async () => {
      const pixels = Float32Array.from({ length: 3 * 28 * 28 }, (_, i) => Math.sin(i));
      const picks = Uint32Array.from({ length: 20 }, (_, i) => (i < 2 ? 0 : Math.min(i - 1, 16)));
      orThrow(session.run({ ids: new Uint32Array(20).fill(7), starts: new Uint32Array(1), positions: Uint32Array.of(5, 19), pixels, picks }));
      return session.read("logits")();
    }),
  );

deviceTest("a model that is streamed has the logits of one that is read, stored as f32 or, where its numbers fit, as f16", async (device) => {
  const dir = await sharded("good");
  const before = device.ledger().liveBytes;
  const whole = await get(readModel(dir));
  const uploaded = orThrow(resident(device, whole.weights));
  const wanted = await logitsOf(device, whole, uploaded);
  uploaded.release();
  for (const storage of ["f32", "f16"] as const) {
    const { model, weights } = await get(streamModel(dir, device, { storage }));
    assert.is(model.weights.size, 0);
    assert.is(model.textTokenizer!.id("<image>"), 300);
    assert.is(weights.tensors.get("language_model.model.embed_tokens.weight")!.dtype, storage);
    assert.is(weights.tensors.get("language_model.model.norm.weight")!.dtype, "f32");
    sameBits(await logitsOf(device, model, weights), wanted, storage);
    weights.release();
  }
  assert.is(device.ledger().liveBytes, before);
});

const head = "language_model.lm_head.weight";

deviceTest("a damaged shard is named, and nothing stays on the device", async (device) => {
  const before = device.ledger().liveBytes;
  const said = async (dir: string, storage: "f32" | "f16" = "f32"): Promise<string> => describe(failureOf(await streamModel(dir, device, { storage })()));
  const short = await sharded("short");
  const second = join(short, "model-00002-of-00002.safetensors");
  writeFileSync(second, readFileSync(second).subarray(0, -4));
  assert.match(await said(short), /model-00002-of-00002\.safetensors is damaged at byte \d+: it ends early/);
  const matrix = [...(await tensorsOf()).keys()].slice(50).find((name) => name.endsWith("fc1.weight"))!;
  const infinite = await sharded("infinite", (tensors) => void (tensors.get(matrix)!.data[3] = NaN));
  assert.match(
    await said(infinite),
    new RegExp(`model-00002-of-00002.safetensors: tensor ${matrix.replaceAll(".", "\\.")} is not finite: its element 3 is NaN`),
  );
  assert.match(describe(failureOf(await readModel(infinite)())), /model-00002-of-00002\.safetensors: tensor .* is not finite/);
  const large = await sharded("large", (tensors) => void (tensors.get(matrix)!.data[3] = 1e5));
  assert.match(await said(large, "f16"), "holds 100000, which f16 cannot hold; store f32");
  orThrow(await streamModel(large, device)()).weights.release();
  const lacking = await sharded("lacking", (tensors) => void tensors.delete(head));
  assert.match(await said(lacking), `tensor ${head} is missing`);
  assert.is(device.ledger().liveBytes, before);
});

runTests();
