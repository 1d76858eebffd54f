/** What of a program is its backward pass. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { gradient } from "../../../src/tensor/gradient.ts";
import { exp, mul, square } from "../../../src/tensor/ops/elementwise.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { isBackward } from "../../../src/tensor/passes/backward.ts";
import { outputsOf, rewrite } from "../../../src/tensor/passes/pass.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats } from "../../../src/tensor/tensor.ts";
import { traced } from "../check.ts";

const backwardOf = (program: Program): readonly string[] => {
  const backward = isBackward(program);
  return program.schedule.flatMap((node) => (node.kind === "apply" && backward(node) ? [node.op.name] : []));
};

test("what depends on the seed of a gradient is the backward pass, also after a rewrite", () => {
  const program = traced({ inputs: { x: floats([3]), w: floats([3]) } }, ({ inputs: { x, w } }) => {
    const loss = sum(square(mul(exp(x), w)));
    const [g] = gradient(loss, [w]);
    return { outputs: { loss, g } };
  });
  const names = backwardOf(program);
  assert.equal(names, ["constant", "expand", "mul", "affine", "mul"]);
  const squared = rewrite(program, (node) => (node.kind === "apply" && node.op.name === "exp" ? outputsOf(square(node.inputs[0]).node) : undefined));
  assert.equal(backwardOf(squared), names);
});

test("what takes the place of a node that is computed again is computed again, and so is what leads to it", () => {
  const program = traced({ inputs: { x: floats([3]) } }, ({ inputs: { x } }) => ({ outputs: { y: exp(x) } }));
  const marked = { ...program, recomputed: new Set([program.outputs.y.node]) };
  const rewritten = rewrite(marked, (node) => (node.kind === "apply" ? [mul(square(node.inputs[0]), node.inputs[0])] : undefined));
  assert.equal(backwardOf(rewritten), ["square", "mul"]);
  assert.equal(backwardOf(rewrite(rewritten, (node) => (node.kind === "apply" ? outputsOf({ ...node }) : undefined))), ["square", "mul"]);
});

test("a program without a gradient has no backward pass", () => {
  const program = traced({ inputs: { x: floats([3]) } }, ({ inputs: { x } }) => ({ outputs: { y: exp(x) } }));
  assert.equal(backwardOf(program), []);
});

test.run();
