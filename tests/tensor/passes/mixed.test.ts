/** Mixed precision as a pass: what is saved for the backward pass is f16, what must be exact stays f32, and memory is halved. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Target } from "../../../src/kernels/target.ts";
import { gradient } from "../../../src/tensor/gradient.ts";
import { crossEntropy } from "../../../src/tensor/ops/crossEntropy.ts";
import { add, exp, gelu, mul } from "../../../src/tensor/ops/elementwise.ts";
import { layerNorm } from "../../../src/tensor/ops/layerNorm.ts";
import { linear } from "../../../src/tensor/ops/matmul.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { softmax } from "../../../src/tensor/ops/softmax.ts";
import { slice } from "../../../src/tensor/ops/window.ts";
import { isBackward } from "../../../src/tensor/passes/backward.ts";
import { savedInHalves } from "../../../src/tensor/passes/mixed.ts";
import { readHalves } from "../../../src/tensor/passes/halves.ts";
import { recompute } from "../../../src/tensor/passes/recompute.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats, inputsOf, reshape, size, view, type Node, type Tensor } from "../../../src/tensor/tensor.ts";
import { bytesOfPlan, h100, inMixed, launchesByKernel, lavapipe, planned, stepOf } from "../../fixtures/gpu.ts";
import { traced } from "../check.ts";

const [images, tokens, width, wide, rank, classes] = [3, 5, 16, 32, 2, 7];

/** A block of a transformer in small: norm, adapter, activation, softmax, residual; then a classifier of its first tokens. */
const step = traced(
  {
    frozen: { gain: floats([width]), up: floats([wide, width]), down: floats([width, wide]), head: floats([classes, width]) },
    state: { A: floats([rank, width]), B: floats([wide, rank]) },
    inputs: { x: floats([images, tokens, width]), targets: floats([images, classes]) },
  },
  ({ frozen: { gain, up, down, head }, state: { A, B }, inputs: { x, targets } }) => {
    const y = layerNorm(add(x, x), gain, gain, 1e-5);
    const p = linear(y, A);
    const mixed = softmax(linear(gelu(linear(y, up, undefined, { p, q: B })), down));
    const z = layerNorm(add(mixed, y), gain, gain, 1e-5);
    const loss = sum(crossEntropy(linear(reshape(slice(z, 1, 0, 1), [images, width]), head), targets));
    const [dA, dB] = gradient(loss, [A, B]);
    return { outputs: { loss, dA, dB } };
  },
);

/** The values that the backward pass reads of the forward pass, by what computes them. */
const saved = (program: Program): readonly Node[] => {
  const backward = isBackward(program);
  const isWidened = (node: Node): boolean => node.kind === "apply" && node.op.name === "widen";
  const rootOf = (t: Tensor): Tensor => (t.node.kind === "view" || isWidened(t.node) ? rootOf(inputsOf(t.node)[0]) : t);
  const roots = program.schedule.filter(backward).flatMap((node) => inputsOf(node).map(rootOf));
  // Other outputs than the first serve gradients alone: statistics of rows.
  const read = roots.filter(({ output }) => output === 0).map(({ node }) => node);
  return [...new Set(read)].filter((node) => node.kind === "apply" && !backward(node));
};

/** A program after these passes alone. */
const inHalves = (program: Program, target: Target): Program => readHalves(savedInHalves(program, target), target);

test("in f32 nothing changes", () => {
  assert.is(savedInHalves(step, lavapipe), step);
});

test("what is saved of three axes is f16, but for the factors of adapters; statistics, features and logits stay f32", () => {
  const program = inHalves(step, inMixed(lavapipe));
  for (const node of saved(program)) {
    const [{ shape, dtype }] = node.outputs;
    const exact = shape.length < 3 || shape.at(-1) === rank;
    assert.is(dtype, exact ? "f32" : "f16", `${node.kind === "apply" ? node.op.name : node.kind} [${shape.join(", ")}]`);
  }
  const half = program.schedule.flatMap((node) => (node.kind === "apply" && node.outputs[0].dtype === "f16" ? [node.op.name] : []));
  assert.ok(half.includes("matmul"), "the product before the activation writes f16 itself");
  assert.ok(half.includes("narrow"), "the softmax, which does not, is rounded behind");
  assert.equal(
    program.schedule.flatMap((node) =>
      inputsOf(node).flatMap(({ dtype }) => (dtype === "f16" && node.kind !== "apply" && node.kind !== "view" ? [node.kind] : [])),
    ),
    [],
  );
});

test("a result is not rounded, under whatever shape it is returned, also where it is a part", () => {
  const program = traced({ inputs: { x: floats([images, 64, width]), y: floats([images, 64, width]) } }, ({ inputs: { x, y } }) => {
    const [whole, part, saved] = [exp(x), exp(y), exp(add(x, y))];
    const [dx, dy] = gradient(sum(mul(mul(whole, part), saved)), [x, y]);
    return { outputs: { h: reshape(whole, [images * 64, width]), p: reshape(view(part, 128, [128, width]), [64, 2 * width]), dx, dy } };
  });
  const stored = inHalves(program, inMixed(lavapipe)).schedule.flatMap((node) =>
    node.kind === "apply" && node.outputs[0].dtype === "f16" ? [node.op.name] : [],
  );
  assert.equal(stored, ["exp", "mul"], "only what is no result is stored as f16");
});

test("what is computed again stays marked", () => {
  const again = recompute(stepOf("b16", 64, "mixed"), inMixed(h100));
  const stored = inHalves(again, inMixed(h100));
  assert.ok(again.recomputed!.size > 0);
  assert.ok(stored.recomputed!.size >= again.recomputed!.size, `${stored.recomputed!.size} of ${again.recomputed!.size}`);
  const operations = new Set(stored.schedule);
  for (const node of stored.recomputed!) assert.ok(operations.has(node));
});

test("results keep their types, and the order of the program stays: rounded right behind what is rounded, widened right before what reads it", () => {
  const program = inHalves(step, inMixed(lavapipe));
  for (const [name, { dtype, shape }] of Object.entries(program.outputs)) assert.equal([dtype, shape], [step.outputs[name].dtype, step.outputs[name].shape]);
  program.schedule.forEach((node, i) => {
    if (node.kind === "apply" && node.op.name === "narrow") assert.is(program.schedule[i - 1], inputsOf(node)[0].node);
    if (node.kind === "apply" && node.op.name === "widen") assert.ok(inputsOf(program.schedule[i + 1]).some((t) => t.node === node));
  });
});

test("a step of CLIP ViT-B/16 at batch 64 needs at most 7 GiB in mixed precision", () => {
  const program = stepOf("b16", 64, "mixed");
  const mixed = planned(program, inMixed(h100));
  const { all, frozen } = bytesOfPlan(mixed);
  assert.ok(launchesByKernel(mixed)["matmul-matrix"] > 300, "products are multiplied on units");
  assert.ok(all <= 7 * 2 ** 30, `${(all / 2 ** 30).toFixed(2)} GiB`);
  assert.ok(frozen <= 0.51 * bytesOfPlan(planned(stepOf("b16", 64), h100)).frozen, "weights take half");
  const backward = isBackward(program);
  assert.ok(program.schedule.some(backward));
  for (const node of saved(inHalves(program, inMixed(h100)))) {
    const [{ shape, dtype }] = node.outputs;
    if (shape.length > 2 && shape.at(-1)! > 64 && size(shape) >= 2 ** 20) assert.is(dtype, "f16", `[${shape.join(", ")}]`);
  }
});

test.run();
