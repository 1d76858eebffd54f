/** Products that are split along k on GPUs: near f64 in every form, with every epilogue, per head, in windows; the same bits twice. */
import * as fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { partTerms } from "../../src/kernels/matmul.ts";
import { partsFor } from "../../src/kernels/split.ts";
import { quickGelu } from "../../src/tensor/ops/elementwise.ts";
import { attentionScores, linear, matmul } from "../../src/tensor/ops/matmul.ts";
import { optimise } from "../../src/tensor/passes/optimise.ts";
import { plan } from "../../src/tensor/plan.ts";
import type { Tensors } from "../../src/tensor/program.ts";
import { h100 } from "../fixtures/gpu.ts";
import { shapeOf } from "../kernels/products.ts";
import { deviceTest, evaluate, largestDifference, numbers, runTests, sameBits, specsOf, traced, withKernelsOf, type Value } from "./check.ts";

const gpu = { kind: "gpu" } as const;

test("parts follow from shape and kind of adapter; all are about as long, and none is empty", () => {
  const sizes = fc.integer({ min: 0, max: 40000 });
  fc.assert(
    fc.property(sizes, sizes, sizes, fc.integer({ min: 1, max: 900 }), (m, n, k, batch) => {
      const shape = shapeOf({ m, n, k, batch });
      const parts = partsFor(gpu, shape);
      assert.is(partsFor({ kind: "cpu" }, shape), 1);
      assert.is(partsFor(undefined, shape), 1);
      if (parts === 1) return;
      const terms = partTerms(k, parts);
      assert.ok((parts - 1) * terms < k && k <= parts * terms, `${parts} parts of ${terms} for ${k}`);
      assert.ok(terms >= 96 && terms % 32 === 0 && parts * m * n * batch <= 2 ** 22);
    }),
  );
});

test("what is split: small results with long sums, and grids that are too small", () => {
  const parts = (m: number, n: number, k: number): number => partsFor(gpu, shapeOf({ m, n, k }));
  assert.equal(
    [parts(16, 768, 12608), parts(768, 16, 12608), parts(16, 3072, 12608)].map((count) => count > 8),
    [true, true, true],
  );
  assert.ok(parts(896, 768, 768) > 1);
  assert.equal([parts(12608, 16, 768), parts(12608, 768, 768), parts(4096, 4096, 4096), parts(16, 16, 64), parts(0, 16, 4096)], [1, 1, 1, 1, 1]);
});
/** The kernels that a described GPU would run for one result. */
const kernels = (inputs: Readonly<Record<string, Value>>, f: (inputs: Tensors) => Tensors, maxBinding = h100.maxBinding): readonly string[] => {
  const program = traced({ inputs: specsOf(inputs) }, ({ inputs: tensors }) => ({ outputs: f(tensors) }));
  const target = { ...h100, maxBinding };
  return plan(optimise(program, target), target).launches.map(({ launch }) => launch.kernel);
};

/** op(A) op(B) in f64. */
const product = (a: Value, b: Value, m: number, n: number, k: number, ta: boolean, tb: boolean): Float64Array =>
  Float64Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    let total = 0;
    for (let t = 0; t < k; t++) total += Number(a.data[ta ? t * m + i : i * k + t]) * Number(b.data[tb ? j * k + t : t * n + j]);
    return total;
  });

const split = ["matmul-tiled", "matmul-parts"];

for (const ta of [false, true]) {
  for (const tb of [false, true]) {
    deviceTest(`${ta ? "T" : "N"}${tb ? "T" : "N"}: near f64, the same bits twice`, async (device) => {
      for (const [m, n, k] of ta === tb ? [[16, 20, 1056]] : [[17, 33, 1041]]) {
        const [a, b] = [numbers(ta ? [k, m] : [m, k], 1), numbers(tb ? [n, k] : [k, n], 2)];
        const f = (t: Tensors): Tensors => ({ y: matmul(t.a, t.b, { ta, tb, scale: 0.5 }) });
        assert.equal(kernels({ a, b }, f), split);
        const onGpu = withKernelsOf("gpu", device);
        const [{ y }, again] = [await evaluate(onGpu, { a, b }, f), await evaluate(onGpu, { a, b }, f)];
        sameBits(y, again.y, "twice");
        const off = largestDifference(
          y,
          product(a, b, m, n, k, ta, tb).map((x) => x / 2),
        );
        assert.ok(off < 2e-5, `off by ${off}`);
      }
    });
  }
}

deviceTest("what is computed of a sum is computed of the whole sum, with its low-rank pair and bias", async (device) => {
  const [m, n, k, r] = [13, 18, 1100, 5];
  const [x, w, bias, p, q] = [numbers([m, k], 1), numbers([n, k], 2), numbers([n], 3), numbers([m, r], 4), numbers([n, r], 5)];
  const f = (t: Tensors): Tensors => ({ y: quickGelu(linear(t.x, t.w, t.bias, { p: t.p, q: t.q })) });
  assert.equal(kernels({ x, w, bias, p, q }, f), split);
  const { y } = await evaluate(withKernelsOf("gpu", device), { x, w, bias, p, q }, f);
  const low = product(p, q, m, n, r, false, true);
  const want = product(x, w, m, n, k, false, true).map((wide, at) => {
    const sum = wide + low[at] + Number(bias.data[at % n]);
    return sum / (1 + Math.exp(-1.702 * sum));
  });
  const off = largestDifference(y, want);
  assert.ok(off < 2e-5, `off by ${off}`);
});

deviceTest("each head of a batch, keys shared by two of them", async (device) => {
  const [batch, heads, keyHeads, tokens, keys, d] = [2, 4, 2, 3, 5, 1030];
  const [q, k] = [numbers([batch, tokens, heads * d], 1), numbers([batch, keys, keyHeads * d], 2)];
  const f = (t: Tensors): Tensors => ({ y: attentionScores(t.q, t.k, heads, 0.25, keyHeads) });
  assert.equal(kernels({ q, k }, f), split);
  const { y } = await evaluate(withKernelsOf("gpu", device), { q, k }, f);
  const want = Float64Array.from(y, (_, at) => {
    const [j, i, h, z] = [at % keys, Math.floor(at / keys) % tokens, Math.floor(at / keys / tokens) % heads, Math.floor(at / keys / tokens / heads)];
    const [left, right] = [((z * tokens + i) * heads + h) * d, ((z * keys + j) * keyHeads + Math.floor((h * keyHeads) / heads)) * d];
    let total = 0;
    for (let t = 0; t < d; t++) total += Number(q.data[left + t]) * Number(k.data[right + t]);
    return total / 4;
  });
  const off = largestDifference(y, want);
  assert.ok(off < 1e-5, `off by ${off}`);
});

deviceTest("windows of k are split each, and added up", async (device) => {
  const [m, n, k] = [8, 12, 2100];
  const [a, b] = [numbers([k, m], 1), numbers([k, n], 2)];
  const f = (t: Tensors): Tensors => ({ y: matmul(t.a, t.b, { ta: true }) });
  // Windows of 1,024 terms, 1,024 and 52: the last is too short to be split.
  assert.equal(kernels({ a, b }, f, 1024 * n), [...split, ...split, "matmul-tiled"]);
  const limits = { ...device.limits, maxStorageBufferBindingSize: 4 * 1024 * n, maxComputeWorkgroupStorageSize: 16384 };
  const { y } = await evaluate({ ...withKernelsOf("gpu", device), limits }, { a, b }, f);
  const off = largestDifference(y, product(a, b, m, n, k, true, false));
  assert.ok(off < 4e-5, `off by ${off}`);
});

runTests();
