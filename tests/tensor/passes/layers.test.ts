/** Gradients of the factors of several layers, each in one product for all layers. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradient } from "../../../src/tensor/gradient.ts";
import { hasGaps } from "../../../src/tensor/lives.ts";
import { add, affine, exp, mul, square, swiglu } from "../../../src/tensor/ops/elementwise.ts";
import { linear, matmul } from "../../../src/tensor/ops/matmul.ts";
import { recipeOf } from "../../../src/tensor/ops/product.ts";
import { inSteps } from "../../../src/tensor/ops/productRewrites.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { productEpilogues } from "../../../src/tensor/passes/epilogues.ts";
import { sharedLayers } from "../../../src/tensor/passes/layers.ts";
import type { Pass } from "../../../src/tensor/passes/pass.ts";
import { sharedInputs } from "../../../src/tensor/passes/sharing.ts";
import { sharedSums } from "../../../src/tensor/passes/sums.ts";
import { plan } from "../../../src/tensor/plan.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats, pack, view, type Tensor } from "../../../src/tensor/tensor.ts";
import { h100, lavapipe } from "../../fixtures/gpu.ts";
import { deviceTest, largestDifference, numbers, runTests, sameBits, traced } from "../check.ts";
import { keepsBits, resultsOf } from "./bits.ts";

const [tokens, width, rank] = [16, 12, 4];
const names = ["gate", "up", "down"];
const [A, B, gate] = [64, 64, 64];

/** So many gated MLPs, two layers of one input and one of what these make; their adapters have factors and gates, which lie layer by layer in flat tensors. */
const programOf = (blocks: number, rows = tokens, residual = square): Program => {
  const layers = names.length * blocks;
  const flat = { A: floats([layers * A]), B: floats([layers * B]), gate: floats([layers * gate]), w: floats([layers * 192]) };
  return traced({ inputs: { x: floats([rows, width]), ...flat } }, ({ inputs: t }) => {
    const at = (i: number, of: Tensor, step: number, shape: readonly number[]): Tensor => view(of, i * step, shape);
    const factors = Array.from(
      { length: layers },
      (_, i) => [at(i, t.A, A, [rank, width]), at(i, t.B, B, [width, rank]), at(i, t.gate, gate, [rank])] as const,
    );
    const layer = (x: Tensor, i: number): Tensor => {
      const [a, b, g] = factors[i];
      return linear(x, at(i, t.w, 192, [width, width]), undefined, { p: mul(matmul(x, a, { tb: true, scale: 0.5 }), g), q: b });
    };
    let x = t.x;
    for (let block = 0; block < blocks; block++) {
      const first = names.length * block;
      const y = square(x);
      x = add(residual(x), layer(swiglu(layer(y, first), layer(y, first + 1)), first + 2));
    }
    const loss = sum(square(x), 1e-3);
    const grads = gradient(loss, factors.flat());
    const of = (j: number, step: number): Tensor => {
      const parts = factors.map((_, i) => grads[3 * i + j]);
      const offsets = parts.map((_, i) => i * step);
      return square(pack(parts, offsets, layers * step));
    };
    return { outputs: { loss, A: of(0, A), B: of(1, B), gate: of(2, gate) } };
  });
};

const feed = ({ leaves }: Program): Readonly<Record<string, Float32Array>> =>
  Object.fromEntries(leaves.map(({ name, outputs: [{ shape }] }, i) => [name, numbers(shape, i + 1, -0.5, 0.5).data as Float32Array]));

const before: readonly Pass[] = [productEpilogues, sharedSums, sharedInputs];
const all: Pass = (program, bounds) => [...before, sharedLayers].reduce((now, pass) => pass(now, bounds), program);

const named = ({ schedule }: Program, name: string): number => schedule.filter((node) => node.kind === "apply" && node.op.name === name).length;

deviceTest("the gradients of three blocks are products of all of them, with the same bits, and nothing is copied", async (device) => {
  const program = programOf(3);
  const { after, launches } = await keepsBits(device, program, all, feed(program));
  assert.is(named(after, "copy"), 0);
  assert.ok(launches[1] < launches[0], `${launches}`);
});

test("A and B of each kind of layer are one product, however many layers there are", () => {
  const gradients = (program: Program): number => {
    const shared = before.reduce((now, pass) => pass(now, h100), program);
    return named(shared, "matmul") - named(sharedLayers(shared, h100), "matmul");
  };
  // Of gate and up together, and of down: for A and for B.
  assert.equal(
    [1, 2, 3, 5].map((blocks) => gradients(programOf(blocks))),
    [0, 4, 8, 16],
  );
  assert.is(gradients(programOf(3, 18)), 6, "the gradients of gate and up, of which B's are made, are one pack, which has gaps");
  assert.is(gradients(programOf(3, tokens, (x) => x)), 6, "the gradient that B of down is made of is computed from that of the layer behind");
});

test("launches are those of the products, without a copy", () => {
  const kernels = (program: Program): readonly string[] => plan(program, h100).launches.map(({ launch }) => launch.kernel);
  const shared = before.reduce((now, pass) => pass(now, h100), programOf(4));
  const [one, other] = [kernels(shared), kernels(sharedLayers(shared, h100))];
  assert.is(one.length - other.length, 12);
  assert.is(other.filter((kernel) => kernel === "window").length, one.filter((kernel) => kernel === "window").length);
});

test("large factors are not kept, nor are any where blocks are computed again, and CPU adapters stay as they are", () => {
  const matmuls = (program: Program, target = h100): number => named(sharedLayers(program, target), "matmul");
  const small = before.reduce((now, pass) => pass(now, h100), programOf(2));
  assert.ok(matmuls(small) < named(small, "matmul"));
  assert.is(matmuls(small, lavapipe), named(small, "matmul"));
  assert.is(matmuls({ ...small, recompute: "blocks" }), named(small, "matmul"));
  const large = before.reduce((now, pass) => pass(now, h100), programOf(2, 2 ** 19));
  assert.is(matmuls(large), named(large, "matmul"));
});

/** Two gradients a layer, of [6, 8] and of [8, 8], one behind the other in one pack, and another value that may have lain there before. */
const interleaved = (layers: number): Program => {
  const each = Array.from({ length: layers }, (_, i) =>
    Object.entries({ a: 6, b: 8, c: 8, d: 8 }).map(([name, n]) => [`${name}${i}`, floats([8, n])] as const),
  );
  return traced({ inputs: { large: floats([128 * layers]), ...Object.fromEntries(each.flat()) } }, ({ inputs: t }) => {
    const scale = sum(exp(t.large));
    const grads = Array.from({ length: layers }, (_, i) => {
      const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => mul(t[`${name}${i}`], scale));
      return [matmul(a, b, { ta: true }), matmul(c, d, { ta: true })];
    }).flat();
    const all = pack(
      grads,
      grads.map((_, i) => 64 * i),
      128 * layers,
    );
    return { outputs: { twice: affine(all, 2), squares: sum(square(all)) } };
  });
};

deviceTest("what lies between the gradients of one kind stays zero, also where those of another lie around it", async (device) => {
  const program = interleaved(3);
  const { after } = await keepsBits(device, program, sharedLayers, feed(program));
  const packs = after.schedule.filter((node) => node.kind === "pack").filter(({ parts }) => parts.some(({ node }) => recipeOf(node)?.batch !== undefined));
  assert.equal(
    packs.map((node) => [node.parts.length, hasGaps(node)]),
    [[2, true]],
  );
});

deviceTest("where gradients of one kind are copied, what lies between them in the pack stays", async (device) => {
  const program = traced({ inputs: { a: floats([8, 6]), b: floats([8, 8]), x: floats([64]) } }, ({ inputs: { a, b, x } }) => {
    const factors = [a, b].map((t) => pack([t, affine(t, 2)], [0, 64], 128));
    const values = inSteps(matmul(a, b, { ta: true }).node, factors, { count: 2, a: 64, b: 64, c: 128 });
    const [one, other] = [square(x), exp(x)].map((between) => pack([between, values], [64, 0], 192));
    return { outputs: { one: affine(one, 2), other: affine(other, 2) } };
  });
  const given = feed(program);
  const { one, other } = await resultsOf(device, program, given);
  for (const [got, f] of [
    [one, (x: number): number => x * x],
    [other, Math.exp],
  ] as const) {
    assert.ok(
      largestDifference(
        got.subarray(64, 128),
        given.x.map((x) => 2 * f(x)),
      ) < 1e-6,
    );
    assert.ok(got.subarray(48, 64).every((x) => x === 0) && got.subarray(176).every((x) => x === 0));
  }
  sameBits(one.slice(128, 176), other.slice(128, 176), "the values");
});

runTests();
