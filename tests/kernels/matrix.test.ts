/**
 * Products on subgroup matrices. No adapter of this machine has the units, so the lanes do their work (EMULATED): the tiles, edges, layouts and epilogue are those
 * that a GPU runs. Its own text compiles in compile.test.ts.
 */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Adapter, Device, MatrixUnit } from "../../src/device/device.ts";
import { oneStep } from "../../src/kernels/expression.ts";
import { matrixPlans } from "../../src/kernels/matrix.ts";
import { matmulDims, multiplied, type MatmulPlan, type MatmulShape } from "../../src/kernels/matmul.ts";
import { partialElements } from "../../src/kernels/split.ts";
import type { Target } from "../../src/kernels/target.ts";
import type { GPUAdapterInfo, GPUSubgroupMatrixConfig } from "../../src/platform/webgpu.ts";
import { describeAdapter } from "../../src/device/adapter.ts";
import { matmulVariants } from "../../src/kernels/variants.ts";
import { h100, inMixed, launchesByKernel, plainGpu, planned, stepOf } from "../fixtures/gpu.ts";
import { hasF16 } from "../fixtures/shaderF16.ts";
import { deviceTestWith, runTests } from "./check.ts";
import { checkPlans, problemOf, shapeOf, type Sizes } from "./products.ts";

const unit: MatrixUnit = { m: 16, n: 16, k: 16, lanes: 32 };
/** As large as the part of a subgroup: soon compiled, since nothing of it is unrolled. */
const large: MatrixUnit = { m: 32, n: 32, k: 16, lanes: 32 };

/** A test of the kernel as lanes run it, which need f16 alone. */
const unitTest = deviceTestWith(hasF16, "shader-f16");

const withUnit = (matrix: MatrixUnit): Adapter => ({ ...h100.adapter, matrix });

const emulated = (matrix: MatrixUnit, shape: MatmulShape, tiles: readonly string[]): readonly MatmulPlan[] => {
  const plans = matrixPlans({ adapter: withUnit({ ...matrix, emulated: true }), workgroupBytes: 32768 }, shape).filter(({ constants: { ROWS, COLS, DEPTH } }) =>
    tiles.includes(`${ROWS}x${COLS}x${DEPTH}`),
  );
  assert.is(plans.length, tiles.length);
  return plans;
};

/** Holds the plans of some tiles, such as 64x64, against f64 of the rounded operands; all must give the same bits. */
const check = async (device: Device, tiles: readonly string[], sizes: Sizes, matrix: MatrixUnit = unit): Promise<void> => {
  const problem = problemOf({ multiply: "f16", ...sizes });
  await checkPlans(device, problem, emulated(matrix, problem.shape, tiles));
};

const smallest = ["32x32x16"];

unitTest("all tiles give the same bits", async (device) => {
  await check(device, ["64x64x16"], { m: 132, n: 68, k: 52 }, large);
  await check(device, ["32x32x16", "64x16x32"], { m: 132, n: 36, k: 52 });
});

unitTest("each of several matrices of a subgroup, over several steps", async (device) => {
  await check(device, smallest, { m: 40, n: 36, k: 20, ta: true }, { m: 16, n: 8, k: 8, lanes: 32 });
});

unitTest("operands and results in f16; a bias, a low-rank pair and an activation", async (device) => {
  await check(device, smallest, { m: 36, n: 68, k: 21, ta: true, tb: true, types: { a: "f16", b: "f16", c: "f16" } });
  await check(device, smallest, { m: 35, n: 17, k: 19, tb: true, types: { b: "f16" }, bias: true, lowRank: true, r: 5, scale: 0.5 });
  await check(device, smallest, {
    m: 20,
    n: 36,
    k: 24,
    types: { a: "f16" },
    lowRank: true,
    r: 36,
    epilogue: { expression: oneStep("gelu"), operands: [] },
    add: true,
  });
});

unitTest("one element, one column, no terms, a pair of rank 0; heads that share a matrix of B, read and written with strides", async (device) => {
  for (const sizes of [
    { m: 1, n: 1, k: 1 },
    { m: 65, n: 1, k: 3 },
    { m: 5, n: 7, k: 0 },
    { m: 5, n: 7, k: 3, lowRank: true, r: 0, scale: 3 },
  ]) {
    await check(device, smallest, sizes);
  }
  const [batch, heads, share, tokens, keys, head] = [2, 6, 3, 5, 9, 8];
  const width = (heads / share) * head;
  const common = { batch: batch * heads, heads, share, bOuter: keys * width, bHead: head, ldb: width };
  const scores = { aOuter: tokens * heads * head, aHead: head, lda: heads * head, cOuter: heads * tokens * keys, cHead: tokens * keys, ldc: keys };
  const values = { aOuter: scores.cOuter, aHead: scores.cHead, lda: keys, cOuter: scores.aOuter, cHead: head, ldc: heads * head };
  await check(device, smallest, { m: tokens, n: keys, k: head, tb: true, scale: head ** -0.5, ...common, ...scores });
  await check(device, smallest, { m: tokens, n: head, k: keys, ...common, ...values });
});

unitTest("a sum that is split: its parts lie together in sixty-fours, the low-rank pair is with the last", async (device) => {
  const [m, n, parts, part, r] = [20, 36, 3, 32, 4];
  const placeOf = (sum: number, at: number): number => (Math.floor(sum / 64) * parts + at) * 64 + (sum % 64);
  const k = parts * part;
  // The same operands as a batch, of which each matrix is a part.
  const batch = { m, n, k: part, tb: true, scale: 0.5, multiply: "f16", batch: parts, lda: k, ldb: k, aOuter: part, bOuter: part } as const;
  const { one } = problemOf(batch);
  const last = problemOf({ ...batch, lowRank: true, r });
  const shape = shapeOf({ m, n, k, tb: true, multiply: "f16", parts, lowRank: true, r, cOuter: m * n });
  const initial = new Float32Array(partialElements(shape, parts)).fill(Number(one.operands[2]!.initial[0]));
  const reference = Float64Array.from(initial);
  Array.from(one.operands[2]!.reference!).forEach((x, i) => {
    const at = Math.floor(i / (m * n));
    reference[placeOf(i % (m * n), at)] = at < parts - 1 ? x : last.one.operands[2]!.reference![i];
  });
  const operands = last.one.operands.map((operand, i) => (i === 2 ? { ...operand!, initial, reference } : operand));
  await checkPlans(device, { shape, one: { dims: matmulDims(shape, 0.5), operands } }, emulated(unit, shape, smallest));
});

test("the shape and the adapter choose the units, for what may be multiplied in f16", () => {
  const adapter = withUnit(unit);
  const kernels = (on: Adapter, shape: Partial<Sizes>): readonly string[] => [
    ...new Set(matmulVariants(on, shapeOf({ m: 512, n: 512, k: 512, ...shape }), 32768).map(({ kernel }) => kernel)),
  ];
  assert.equal(kernels(adapter, { multiply: "f16" }), ["matmul-matrix"]);
  assert.equal(kernels(adapter, { multiply: "f16", m: 3, n: 1, k: 7 }), ["matmul-matrix"]);
  for (const [on, shape] of [
    [adapter, {}],
    [adapter, { types: { b: "f16" } }],
    [adapter, { multiply: "f16", ta: true, lowRank: true, r: 3 }],
    [plainGpu.adapter, { multiply: "f16" }],
  ] as const) {
    assert.not.ok(kernels(on, shape).includes("matmul-matrix"), JSON.stringify(shape));
  }
});

test("plans keep to the workgroup memory of a device; where none fits, the products are those of f32", () => {
  const shape = shapeOf({ m: 512, n: 512, k: 512, multiply: "f16" });
  const plans = (workgroupBytes?: number): readonly MatmulPlan[] => matrixPlans({ adapter: withUnit(unit), workgroupBytes }, shape);
  const [few, more, all] = [plans(), plans(24576), plans(49152)];
  assert.ok(few.length > 0 && few.length < more.length && more.length < all.length);
  assert.equal(plans(16384), few);
  assert.equal(plans(1024), []);
  const others = matmulVariants(withUnit(unit), shape, 1024);
  assert.ok(others.length > 0 && others.every(({ kernel }) => kernel !== "matmul-matrix"));
});

test("in mixed precision a step multiplies on units", () => {
  const kernels = (target: Target): readonly string[] => Object.keys(launchesByKernel(planned(stepOf("nano", undefined, target.precision), target)));
  assert.ok(kernels(inMixed(h100)).includes("matmul-matrix"));
  assert.not.ok(kernels(h100).includes("matmul-matrix"));
  const shape = shapeOf({ m: 4, n: 4, k: 4 });
  assert.is(multiplied("mixed", { ...shape, types: { b: "f16" } }).multiply, "f16");
  assert.is(multiplied("mixed", { ...shape, types: { c: "f16" } }).multiply, undefined);
  assert.is(multiplied("f32", { ...shape, types: { b: "f16" } }).multiply, undefined);
});

test("the logits of a language model are multiplied in f32, also where their weights are f16", () => {
  const { launches } = planned(stepOf("small-llama", undefined, "mixed"), inMixed(h100));
  const vocabulary = 512;
  const logits = launches.flatMap(({ launch: { kernel, dims } }) => ("n" in dims && dims.n === vocabulary ? [kernel] : []));
  assert.equal(logits, ["matmul-tiled"]);
  assert.ok(launches.some(({ launch }) => launch.kernel === "matmul-matrix"));
});

test("an adapter's best configuration is kept, where its subgroups have one size", () => {
  const config = (M: number, N: number, K: number, componentType = "f16", resultComponentType = "f32"): GPUSubgroupMatrixConfig => ({
    ...{ M, N, K, componentType, resultComponentType },
  });
  const info: GPUAdapterInfo = {
    ...{ vendor: "nvidia", architecture: "", device: "", description: "a GPU", isFallbackAdapter: false, subgroupMinSize: 32, subgroupMaxSize: 32 },
    subgroupMatrixConfigs: [config(16, 8, 8), config(8, 8, 8, "f32"), config(16, 16, 16, "f16", "f16"), config(16, 16, 16), config(16, 8, 16)],
  };
  const features = ["subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];
  assert.equal(describeAdapter(info, features).matrix, { m: 16, n: 16, k: 16, lanes: 32 });
  assert.equal(describeAdapter({ ...info, subgroupMatrixConfigs: [config(16, 8, 8)] }, features).matrix, { m: 16, n: 8, k: 8, lanes: 32 });
  assert.is(describeAdapter(info, features.slice(1)).matrix, undefined);
  assert.is(describeAdapter({ ...info, subgroupMatrixConfigs: [config(4, 4, 4)] }, features).matrix, undefined);
  assert.is(describeAdapter({ ...info, subgroupMinSize: 8 }, features).matrix, undefined);
  assert.is(describeAdapter({ ...info, vendor: "apple", subgroupMinSize: 4, subgroupMaxSize: 64 }, features).matrix?.lanes, 32);
});

runTests();
