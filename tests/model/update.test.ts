/** What adapters add to weights, as factors; and that merging follows from it. */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { allParameters, wholeLayers } from "../../src/model/adapters/inFull.ts";
import { gatedLora, lora } from "../../src/model/adapters/lora.ts";
import { parallel } from "../../src/model/adapters/parallel.ts";
import { depthScale } from "../../src/model/adapters/scale.ts";
import { bothUpdates, livingFactors, mergeUpdate, noUpdate, type Factors } from "../../src/model/adapters/update.ts";
import { initialModel, networkOf } from "../../src/model/model.ts";
import { layersOf } from "../../src/model/network.ts";
import { vit } from "../../src/model/vit.ts";
import { random } from "../../src/random.ts";

const vision = { width: 6, mlpWidth: 9, layers: 2, heads: 2, activation: "gelu", eps: 1e-6, imageSize: 4, patchSize: 2, channels: 3 } as const;
const model = initialModel(vit, { vision }, 1);
const net = networkOf(model);

/** Numbers in every group, a quarter of them zero. */
const filled = <G extends string>(values: Readonly<Record<G, Float32Array>>, seed: number): Record<G, Float32Array> => {
  const draw = random(seed, "filled");
  return Object.fromEntries(
    Object.entries<Float32Array>(values).map(([group, flat]) => [group, flat.map(() => (draw.uniform() < 0.25 ? 0 : draw.normal()))]),
  ) as Record<G, Float32Array>;
};

const product = ({ rank, B, A }: Factors, out: number, width: number): readonly number[] =>
  Array.from({ length: out * width }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += B[Math.floor(i / width) * rank + k] * A[k * width + (i % width)];
    return sum;
  });

test("gates and scales are folded into B, and what is dead is left out", () => {
  const adapter = gatedLora({ rank: 3, scale: depthScale({ base: 2 }), modules: ["q", "fc1"] });
  const values = filled(adapter.initial(net, model.weights, 1, 0), 2);
  const { layouts } = adapter;
  values.gate.fill(0);
  layouts(net).gate.entries.forEach(({ offset }, i) => values.gate.set([0.5, 0, i === 0 ? 0 : -2], offset));
  const { factors, weights } = adapter.update(net, values);
  assert.is(weights, undefined);
  assert.equal(
    [...factors.values()].map(({ rank }) => rank),
    [1, 2, 2, 2],
  );
  const [first] = factors.values();
  const b = layouts(net).B.entries[0].offset;
  assert.equal(
    [...first.B],
    Array.from({ length: 6 }, (_, row) => 2 * 0.2 * values.B[b + 3 * row] * 0.5),
  );
  const a = layouts(net).A.entries[0].offset;
  assert.equal([...first.A], [...values.A.subarray(a, a + 6)]);
});

test("a merge adds B A to the weights of the layers and shares all others", () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 4 }), (seed, rank) => {
      const adapter = parallel({ one: lora({ rank, modules: ["q"] }), two: gatedLora({ rank: 2 }) });
      const update = adapter.update(net, filled(adapter.initial(net, model.weights, seed, 0), seed));
      const merged = mergeUpdate(model, update);
      for (const layer of net.layers) {
        const [before, after] = [model, merged].map(({ weights }) => weights.get(`${layer.name}.weight`)!.data);
        const added = product(update.factors.get(layer.name)!, layer.out, layer.in);
        after.forEach((w, i) => assert.ok(Math.abs(w - before[i] - added[i]) < 1e-5, layer.name));
      }
      const touched = new Set(net.layers.map(({ name }) => `${name}.weight`));
      for (const [name, tensor] of model.weights) assert.is(merged.weights.get(name) === tensor, !touched.has(name), name);
    }),
    { numRuns: 20 },
  );
});

test("training in full gives the weights themselves", () => {
  const adapter = allParameters();
  const values = adapter.initial(net, model.weights, 1, 0);
  assert.equal(
    new Map([...mergeUpdate(model, adapter.update(net, values)).weights].map(([n, { data }]) => [n, data])),
    new Map([...model.weights].map(([n, { data }]) => [n, data])),
  );
});

test("some layers in full, below a LoRA of others and of the same: their weights take the place of the model's, and factors come on top", () => {
  const choice = { modules: ["fc1"], towers: ["vision"] } as const;
  const both = parallel({ whole: wholeLayers(choice), lora: lora({ rank: 2, modules: ["q", "fc1"] }) });
  const chosen = layersOf(net, choice);
  assert.equal(
    both.layouts(net)["whole.weights"].entries.map(({ name }) => name),
    chosen.flatMap(({ name }) => [`${name}.weight`, `${name}.bias`]),
  );
  const start = both.initial(net, model.weights, 1, 0);
  for (const [name, { data }] of mergeUpdate(model, both.update(net, start)).weights) assert.equal(data, model.weights.get(name)!.data, name);
  const moved = { ...filled(start, 3), "whole.weights": start["whole.weights"].map((x) => x + 1) };
  const update = both.update(net, moved);
  assert.equal(
    [...update.weights!.keys()],
    both.layouts(net)["whole.weights"].entries.map(({ name }) => name),
  );
  const merged = mergeUpdate(model, update);
  for (const { name, in: width, out } of chosen) {
    const [before, after] = [model, merged].map(({ weights }) => weights.get(`${name}.weight`)!.data);
    const added = product(update.factors.get(name)!, out, width);
    after.forEach((w, i) => assert.ok(Math.abs(w - before[i] - 1 - added[i]) < 1e-5, name));
    merged.weights.get(`${name}.bias`)!.data.forEach((b, i) => assert.ok(Math.abs(b - model.weights.get(`${name}.bias`)!.data[i] - 1) < 1e-6, name));
  }
});

test("two updates as one are the two, one after the other; nothing beside an update is that update", () => {
  const adapter = lora({ rank: 2, modules: ["v", "out"] });
  const [a, b] = [1, 2].map((seed) => adapter.update(net, filled(adapter.initial(net, model.weights, seed, 0), seed)));
  const both = mergeUpdate(model, bothUpdates(a, b));
  const oneByOne = mergeUpdate(mergeUpdate(model, a), b);
  for (const [name, { data }] of oneByOne.weights) data.forEach((x, i) => assert.ok(Math.abs(x - both.weights.get(name)!.data[i]) < 1e-6, name));
  assert.equal(bothUpdates(noUpdate, a), a);
  assert.equal(bothUpdates(a, noUpdate), a);
  const whole = { factors: new Map(), weights: model.weights };
  assert.equal(bothUpdates(a, whole).factors.size, 0, "weights in full take the place of what was added before");
  assert.equal(bothUpdates(whole, a).factors.size, a.factors.size);
});

test("components without a part in B are left out, wherever they stand", () => {
  const A = Float32Array.of(1, 2, 3, 4, 5, 6);
  assert.equal(livingFactors(Float64Array.of(0, 7, 0, 0, 8, 0), A, 3), { rank: 1, B: Float64Array.of(7, 8), A: Float32Array.of(3, 4) });
  assert.equal(livingFactors(new Float64Array(6), A, 3), { rank: 0, B: new Float64Array(0), A: new Float32Array(0) });
});

test.run();
