/** The low-rank difference of two models. */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { fromF16, toF16 } from "../../src/formats/half.ts";
import { lowRankProduct } from "../../src/linalg/factors.ts";
import { mergeUpdate, type Factors } from "../../src/model/adapters/update.ts";
import { initialModel } from "../../src/model/model.ts";
import { updateBetween } from "../../src/model/peft/between.ts";
import { linearsOf } from "../../src/model/peft/linears.ts";
import { vit } from "../../src/model/vit.ts";
import { random } from "../../src/random.ts";
import { left, right } from "../fixtures/datasets.ts";

const vision = { width: 24, mlpWidth: 40, layers: 2, heads: 2, activation: "gelu", eps: 1e-6, imageSize: 8, patchSize: 4, channels: 3 } as const;
const before = initialModel(vit, { vision }, 1);
const layers = linearsOf(before);

const drawn = (seed: number, out: number, columns: number, rank: number, size: number): Factors => {
  const draw = random(seed, "factors");
  return {
    rank,
    B: Float64Array.from({ length: out * rank }, () => size * draw.normal()),
    A: Float32Array.from({ length: rank * columns }, () => draw.normal()),
  };
};

const near = (a: ReadonlyMap<string, { readonly data: Float32Array }>, b: typeof a): void => {
  for (const [name, { data }] of a) {
    const other = b.get(name)!.data;
    const size = Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);
    data.forEach((x, i) =>
      assert.ok(Math.abs(x - other[i]) <= 8 * 2 ** -24 * Math.max(size, Math.abs(x)) * Math.sqrt(data.length), `${name} ${i}: ${x} and ${other[i]}`),
    );
  }
};

test("it has the rank of what was added, task after task, and leads to the model after them", () => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 }), fc.constantFrom(1, 0.01), (seed, ranks, size) => {
      const adapted = layers.filter((_, i) => i % 3 === 0);
      const after = ranks.reduce(
        (model, rank, task) => mergeUpdate(model, { factors: new Map(adapted.map((l) => [l.name, drawn(seed + task, l.out, l.in, rank, size)])) }),
        before,
      );
      const { factors } = right(updateBetween(before, after));
      const rank = ranks.reduce((a, b) => a + b);
      assert.equal(
        [...factors.keys()],
        adapted.map(({ name }) => name),
      );
      // Where directions are nearly dependent, rounding is as long as one of them.
      for (const [name, { rank: found }] of factors) assert.ok(found >= rank && found <= rank + 2, `${name}: ${found} for ${rank}`);
      near(mergeUpdate(before, { factors }).weights, after.weights);
    }),
    { numRuns: 30 },
  );
});

test("equal models differ by nothing", () => assert.equal(right(updateBetween(before, before)).factors.size, 0));

test("of a model that was stored in f16 the rounding is no part of the difference", () => {
  const [layer] = layers;
  const after = mergeUpdate(before, { factors: new Map([[layer.name, drawn(3, layer.out, layer.in, 2, 1)]]) });
  const stored = {
    ...after,
    weights: new Map([...after.weights].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => fromF16(toF16(x))) }])),
  };
  const base = {
    ...before,
    weights: new Map([...before.weights].map(([name, { shape, data }]) => [name, { shape, data: data.map((x) => fromF16(toF16(x))) }])),
  };
  assert.equal(
    [...right(updateBetween(base, stored)).factors.values()].map(({ rank }) => rank),
    [2],
  );
});

test("what no low-rank adapter can say is named", () => {
  const changed = (name: string) => ({
    ...before,
    weights: new Map([...before.weights].map(([n, t]) => [n, n === name ? { ...t, data: t.data.map((x) => x + 1) } : t])),
  });
  const sentence = (name: string): string => describe(left(updateBetween(before, changed(name))));
  for (const name of ["layernorm.bias", "encoder.layer.0.output.dense.bias", "embeddings.cls_token"])
    assert.match(
      sentence(name),
      new RegExp(`tensor ${name.replaceAll(".", "\\.")} has changed, and a LoRA adapter changes the weights of linear layers alone; write the whole model`),
    );
  const wider = initialModel(vit, { vision: { ...vision, mlpWidth: 44 } }, 1);
  assert.match(describe(left(updateBetween(before, wider))), /is \[44, 24\] and was \[40, 24\]|is \[44\] and was \[40\]/);
  const deeper = initialModel(vit, { vision: { ...vision, layers: 3 } }, 1);
  assert.match(describe(left(updateBetween(before, deeper))), /encoder\.layer\.2\..* is not in the model before it/);
});

test("a product of low rank leaves of each row at most what it is allowed", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.double({ min: 0, max: 2, noNaN: true }),
      (seed, rows, columns, allowed) => {
        const draw = random(seed, "matrix");
        const matrix = Float64Array.from({ length: rows * columns }, () => draw.normal());
        const { rank, B, A } = lowRankProduct(matrix, rows, columns, new Float64Array(rows).fill(allowed));
        assert.ok(rank <= Math.min(rows, columns));
        for (let row = 0; row < rows; row++) {
          let left = 0;
          for (let j = 0; j < columns; j++) {
            let x = matrix[row * columns + j];
            for (let k = 0; k < rank; k++) x -= B[row * rank + k] * A[k * columns + j];
            left += x * x;
          }
          assert.ok(Math.sqrt(left) <= allowed + 1e-12 + (rank === Math.min(rows, columns) ? 1e-6 : 0), `${Math.sqrt(left)} of ${allowed}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test.run();
