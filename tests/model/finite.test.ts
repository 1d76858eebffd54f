/** A model that is not finite is neither read nor written, whatever tensor holds the number and in whatever type. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import type { Tensors } from "../../src/formats/hostTensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { initialModel, readModel, writeModel, type Model } from "../../src/model/model.ts";
import { vit } from "../../src/model/vit.ts";
import { left, temporaryFolder } from "../fixtures/datasets.ts";
import { tinyClip } from "../fixtures/tinyClip.ts";

const { dir, remove } = temporaryFolder("finite");
test.after(remove);
const folder = join(dir, "model");
const file = join(folder, "model.safetensors");

const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
const models: readonly Model[] = [await tinyClip(), initialModel(vit, { vision }, 1)];

/** Weights with one number of one tensor replaced. */
const withNumber = (weights: Tensors, tensor: string, at: number, value: number): Tensors => {
  const { shape, data } = weights.get(tensor)!;
  return new Map([...weights, [tensor, { shape, data: data.with(at, value) }]]);
};

/** A model, one of its numbers, and a value that is not finite. */
const damages = fc
  .constantFrom(...models)
  .chain((model) => fc.tuple(fc.constant(model), fc.constantFrom(...model.weights.keys()), fc.nat(), fc.constantFrom(NaN, Infinity, -Infinity)))
  .map(([model, tensor, n, value]) => ({ model, tensor, at: n % model.weights.get(tensor)!.data.length, value }));

test("a number that is not finite is named with its tensor before anything is written, and when it is read", async () => {
  await fc.assert(
    fc.asyncProperty(damages, fc.constantFrom("f32", "f16", "bf16"), async ({ model, tensor, at, value }, dtype) => {
      rmSync(folder, { recursive: true, force: true });
      const weights = withNumber(model.weights, tensor, at, value);
      const said = `${file}: tensor ${tensor} is not finite: its element ${at} of ${model.weights.get(tensor)!.data.length} is ${value}`;
      assert.is(describe(left(await writeModel(folder, { ...model, weights }, { dtype })())), said);
      assert.not.ok(existsSync(folder));
      await get(writeModel(folder, model, { dtype }));
      await get(writeSafetensors(file, withNumber(await get(readSafetensors(file)), tensor, at, value), { dtype }));
      assert.is(describe(left(await readModel(folder)())), said);
    }),
    { numRuns: 40 },
  );
});

test("what a model does not use may hold anything", async () => {
  const [, model] = models;
  await get(writeModel(folder, model));
  const tensors = await get(readSafetensors(file));
  await get(writeSafetensors(file, new Map([...tensors, ["classifier.weight", { shape: [1], data: Float32Array.of(NaN) }]])));
  await get(readModel(folder));
});

test("a finite number that rounds to infinity is not written", async () => {
  const [model] = models;
  const tensor = [...model.weights.keys()][3];
  for (const [dtype, largest, over, instead] of [
    ["f16", 65519, 65520, "f32 or bf16"],
    ["bf16", 3.396e38, 3.4e38, "f32"],
  ] as const) {
    rmSync(folder, { recursive: true, force: true });
    const failure = left(await writeModel(folder, { ...model, weights: withNumber(model.weights, tensor, 0, -over) }, { dtype })());
    assert.match(describe(failure), `tensor ${tensor} holds ${Math.fround(-over)}, which does not fit ${dtype}; write ${instead}`);
    assert.not.ok(existsSync(folder));
    await get(writeModel(folder, { ...model, weights: withNumber(model.weights, tensor, 0, largest) }, { dtype }));
    await get(readModel(folder));
  }
});

test.run();
