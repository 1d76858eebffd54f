/** Element types of models: as read they are written; what a run keeps is f32; what does not fit is a failure. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { learner } from "../../src/model/learner.ts";
import { initialModel, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { readSafetensors } from "../../src/formats/safetensors.ts";
import { vit } from "../../src/model/vit.ts";
import { readLearner, writeLearner } from "../../src/runs/checkpoint.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";

const { dir: root, remove } = temporaryFolder("dtype");
test.after(remove);

const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
const fresh = initialModel(vit, { vision }, 1);

const stored = async (dir: string): Promise<readonly string[]> => [
  ...new Set([...(await get(readSafetensors(join(dir, "model.safetensors")))).values()].map(({ dtype }) => dtype!)),
  JSON.parse(readFileSync(join(dir, "config.json"), "utf8")).torch_dtype,
];

const names = { f16: ["F16", "float16"], bf16: ["BF16", "bfloat16"], f32: ["F32", "float32"] } as const;

for (const dtype of ["f32", "f16", "bf16"] as const)
  test(`a model that was read in ${dtype} is written in ${dtype}, to the same bytes, and in another type where that is asked for`, async () => {
    const [first, second, other] = ["first", "second", "other"].map((name) => join(root, dtype, name));
    await get(writeModel(first, fresh, { dtype }));
    const read = await get(readModel(first));
    assert.is(read.dtype, dtype === "f32" ? undefined : dtype);
    await get(writeModel(second, read));
    assert.equal(await stored(second), names[dtype]);
    assert.equal(readFileSync(join(second, "model.safetensors")), readFileSync(join(first, "model.safetensors")));
    await get(writeModel(other, read, { dtype: "bf16" }));
    assert.equal(await stored(other), names.bf16);
  });

test("a learner is kept in f32 and remembers what its model was read in", async () => {
  const before: Model = { ...fresh, dtype: "f16" };
  const dir = join(root, "learner");
  await get(writeLearner(dir, learner(before)));
  assert.equal(await stored(dir), names.f32);
  const after = await get(readLearner(dir));
  assert.is(after.model.dtype, "f16");
  for (const [name, { data }] of after.model.weights) assert.equal(data, before.weights.get(name)!.data);
});

test("a number that f16 cannot hold is a failure that offers bf16, and nothing is written", async () => {
  const weights = new Map(fresh.weights);
  weights.set("layernorm.bias", { shape: [8], data: new Float32Array(8).fill(1e5) });
  const failure = left(await writeModel(join(root, "large"), { ...fresh, weights, dtype: "f16" })());
  assert.match(describe(failure), /tensor layernorm\.bias holds 100000, which does not fit f16; write f32 or bf16/);
  assert.not.ok((await import("node:fs")).existsSync(join(root, "large")));
});

test.run();
