/** Gradients of factors of several layers: their parts are added up together. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Bounds } from "../../../src/kernels/bounds.ts";
import { square } from "../../../src/tensor/ops/elementwise.ts";
import { matmul } from "../../../src/tensor/ops/matmul.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { sharedInputs } from "../../../src/tensor/passes/sharing.ts";
import { sharedSplits } from "../../../src/tensor/passes/splits.ts";
import { plan } from "../../../src/tensor/plan.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats, pack, size, view, type Tensor } from "../../../src/tensor/tensor.ts";
import { h100, lavapipe } from "../../fixtures/gpu.ts";
import { deviceTest, largestDifference, numbers, runTests, traced } from "../check.ts";
import { keepsBits, resultsOf } from "./bits.ts";

/** xᵀ y in one pack, for layers of so many rows and columns; `beside` reads the first, too. */
interface Layers {
  readonly sizes: readonly (readonly [m: number, n: number])[];
  readonly terms: number;
  readonly gap?: number;
  readonly beside?: boolean;
}

const programOf = ({ sizes, terms, gap = 0, beside = false }: Layers): Program => {
  const specs = sizes.flatMap(([m, n], i) => [[`x${i}`, floats([terms, m])] as const, [`y${i}`, floats([terms, n])] as const]);
  return traced({ inputs: Object.fromEntries(specs) }, ({ inputs }) => {
    const products = sizes.map((_, i) => matmul(inputs[`x${i}`], inputs[`y${i}`], { ta: true, scale: 1 / terms }));
    let end = 0;
    const offsets = sizes.map((shape) => (end += size(shape) + gap) - size(shape) - gap);
    return { outputs: { y: square(pack(products, offsets, end)), ...(beside ? { first: sum(products[0]) } : {}) } };
  });
};

const feed = ({ leaves }: Program): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries(leaves.map(({ name, outputs: [{ shape }] }, i) => [name, numbers(shape, i + 1).data as Float32Array]));

const sumsIn = ({ schedule }: Program): number => schedule.filter((node) => node.kind === "apply" && node.op.name === "sum of parts").length;

// Extents that are multiples of four: one text serves all.
const wide: Layers["sizes"] = [
  [16, 20],
  [64, 4],
  [4, 16],
];

const gpu: Bounds = { ...h100, maxBinding: 2 ** 25 };

deviceTest("products of several shapes in one pack are a launch each and one for all sums, with the same bits, near f64", async (device) => {
  const layers = { sizes: wide, terms: 1060 };
  const program = programOf(layers);
  const { after, launches } = await keepsBits(device, program, sharedSplits, feed(program));
  assert.equal(launches, [3 * 2 + 1, 3 + 1 + 1]);
  assert.is(sumsIn(after), 1);
  const { y } = await resultsOf(device, after, feed(program));
  const of = feed(program);
  const want = wide.flatMap(([m, n], i) =>
    Array.from({ length: m * n }, (_, at) => {
      let total = 0;
      for (let t = 0; t < layers.terms; t++) total += of[`x${i}`][t * m + Math.floor(at / n)] * of[`y${i}`][t * n + (at % n)];
      return (total / layers.terms) ** 2;
    }),
  );
  const off = largestDifference(y, Float64Array.from(want));
  assert.ok(off < 1e-7, `off by ${off}`);
});

test("what is alone, not split, elsewhere, uneven, or read by something else is added up by itself", () => {
  const sums = (layers: Layers, bounds: Bounds = gpu): number => sumsIn(sharedSplits(programOf(layers), bounds));
  assert.is(sums({ sizes: wide, terms: 1024 }), 1);
  assert.is(sums({ sizes: wide, terms: 1024 }, lavapipe), 0);
  assert.is(sums({ sizes: [[16, 20]], terms: 1024 }), 0);
  assert.is(sums({ sizes: wide, terms: 64 }), 0);
  assert.is(sums({ sizes: wide, terms: 1024, gap: 64 }), 0);
  assert.is(sums({ sizes: wide, terms: 1024, beside: true }), 1, "the first is read twice, the others are added up together");
  assert.is(sums({ sizes: wide.slice(1), terms: 1024, beside: true }), 0);
  assert.is(sums({ sizes: [...wide, ...wide], terms: 1024, gap: 0 }), 1);
});

test("products of one input, which are computed together before, are one part of the sums", () => {
  const [terms, m, n] = [1028, 20, 16];
  const program = traced({ inputs: { x: floats([terms, m]), y: floats([3 * terms * n]), z: floats([terms, n]) } }, ({ inputs: { x, y, z } }) => {
    const of = (right: Tensor): Tensor => matmul(x, right, { ta: true });
    const products = [...[0, 1, 2].map((i) => of(view(y, i * terms * n, [terms, n]))), of(z)];
    const offsets = products.map((_, i) => i * m * n);
    return { outputs: { y: square(pack(products, offsets, 4 * m * n)) } };
  });
  const launches = (of: Program): number => plan(of, h100).launches.length;
  const shared = sharedInputs(program, gpu);
  assert.equal([program, shared, sharedSplits(shared, gpu)].map(launches), [4 * 2 + 1, 2 * 2 + 1, 2 + 1 + 1]);
});

test("runs end where their parts would be larger than a binding", () => {
  const [m, n, count] = [64, 4, 70];
  const program = programOf({ sizes: new Array(count).fill([m, n]), terms: 1024 });
  const within = (maxBinding: number): number => sumsIn(sharedSplits(program, { ...gpu, maxBinding }));
  const all = count * m * n * 8;
  assert.equal([all, all / 2, all / 2 - 1].map(within), [1, 2, 3]);
});

runTests();
