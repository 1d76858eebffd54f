import * as assert from "uvu/assert";
import { gradient } from "../../../src/tensor/gradient.ts";
import { add, affine, constant, div, exp, gelu, mul, quickGelu, scale, sigmoid, silu, square, sub, swiglu } from "../../../src/tensor/ops/elementwise.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { isBackward } from "../../../src/tensor/passes/backward.ts";
import { elementwiseChains } from "../../../src/tensor/passes/chains.ts";
import type { Program, Tensors } from "../../../src/tensor/program.ts";
import { reshape } from "../../../src/tensor/tensor.ts";
import { deviceTest, numbers, runTests, specsOf, traced, type Value } from "../check.ts";
import { keepsBits } from "./bits.ts";

const shape = [3, 5, 7];
const values: Readonly<Record<string, Value>> = {
  a: numbers(shape, 1),
  b: numbers(shape, 2),
  row: numbers([7], 3),
  column: numbers([5, 1], 4),
  between: numbers([3, 1, 7], 5, 0.5, 1.5),
  one: numbers([1], 6),
};
const feed = Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]));

const programOf = (of: (inputs: Tensors) => Tensors): Program => traced({ inputs: specsOf(values) }, ({ inputs }) => ({ outputs: of(inputs) }));

/** The names of what a program computes, in its order. */
const namesOf = ({ schedule }: Program): readonly string[] => schedule.flatMap((node) => (node.kind === "apply" ? [node.op.name] : []));

deviceTest("a chain with operands of all patterns is one launch", async (device) => {
  const program = programOf(({ a, b, row, column, between, one }) => {
    const y = quickGelu(div(mul(add(a, row), column), between));
    return { y: sub(affine(mul(y, one), 0.3, -1.7), b) };
  });
  const { launches } = await keepsBits(device, program, elementwiseChains, feed);
  assert.equal(launches, [7, 1]);
});

deviceTest("a tree, and what is read twice within it, are one launch; other shapes of the same elements are no bound", async (device) => {
  const program = programOf(({ a, b, row }) => {
    const s = sigmoid(mul(a, b));
    const flat = reshape(add(square(s), silu(s)), [15, 7]);
    return { y: exp(sub(flat, row)) };
  });
  const { launches, after } = await keepsBits(device, program, elementwiseChains, feed);
  assert.equal(launches, [7, 1]);
  assert.equal(namesOf(after), ["mul, sigmoid, square, silu, add, sub, exp"]);
});

deviceTest("what something else reads, or is a result, stays a launch of its own", async (device) => {
  const program = programOf(({ a, b, row }) => {
    const s = mul(a, b);
    return { s, y: exp(add(s, row)), total: sum(square(s)), z: gelu(affine(sum(s), 2, 1)) };
  });
  const { after } = await keepsBits(device, program, elementwiseChains, feed);
  assert.equal(
    namesOf(after),
    ["mul", "sum", "square", "add, exp", "sum", "affine, gelu"].sort((x, y) => namesOf(after).indexOf(x) - namesOf(after).indexOf(y)),
  );
});

deviceTest("constants are computed where they are read, at any broadcast", async (device) => {
  const program = programOf(({ a, one }) => ({ y: mul(add(a, constant(0.1, shape)), constant(-3, [1])), z: add(one, constant(1, [1])) }));
  const { launches } = await keepsBits(device, program, elementwiseChains, feed);
  assert.equal(launches, [6, 2]);
});

deviceTest("a launch reads six tensors and eight numbers at most: longer chains are several", async (device) => {
  const program = programOf(({ a, b, row, column, between, one }) => {
    const all = [a, b, row, column, between, one];
    const y = all.reduce((s, t) => add(s, t));
    const scaled = Array.from({ length: 9 }, (_, i) => i).reduce((s, i) => affine(s, 1 + i / 10, i), y);
    return { y: mul(scaled, square(exp(a))), z: add(mul(add(mul(add(mul(a, b), row), column), between), one), scale(constant(2, [3, 5, 7]), 3)) };
  });
  const { launches } = await keepsBits(device, program, elementwiseChains, feed);
  assert.ok(launches[1] <= 5 && launches[0] > 20, `${launches}`);
});

deviceTest("gradients keep their bits, and the seed stays a node of its own", async (device) => {
  const program = programOf(({ a, b, row, column }) => {
    const loss = sum(swiglu(add(mul(a, row), column), gelu(b)));
    const grads = gradient(loss, [a, b, row, column]);
    return { loss, a: grads[0], b: grads[1], row: grads[2], column: grads[3] };
  });
  const { launches, after } = await keepsBits(device, program, elementwiseChains, feed);
  assert.ok(launches[1] < launches[0], `${launches}`);
  const backward = isBackward(after);
  assert.ok(after.schedule.some(backward));
  assert.not(after.schedule.every(backward));
});

runTests();
