import * as assert from "uvu/assert";
import { gradient } from "../../../src/tensor/gradient.ts";
import { add, gelu, mul, quickGelu, scale, square, sub } from "../../../src/tensor/ops/elementwise.ts";
import { attentionScores, attentionValues, linear, matmul } from "../../../src/tensor/ops/matmul.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { productEpilogues } from "../../../src/tensor/passes/epilogues.ts";
import type { Program, Tensors } from "../../../src/tensor/program.ts";
import { reshape, view, type Tensor } from "../../../src/tensor/tensor.ts";
import { deviceTest, numbers, runTests, specsOf, traced, type Value } from "../check.ts";
import { keepsBits } from "./bits.ts";

const [rows, width, out, rank] = [9, 12, 20, 3];
const values: Readonly<Record<string, Value>> = {
  x: numbers([3, 3, width], 1),
  w: numbers([out, width], 2),
  v: numbers([out, width], 3),
  bias: numbers([out], 4),
  A: numbers([rank, width], 5),
  B: numbers([out, rank], 6),
  gate: numbers([rank], 7),
  one: numbers([1], 8),
  y: numbers([rows, out], 9),
  z: numbers([3, 3, width], 10),
};
const feed = Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]));
const programOf = (of: (inputs: Tensors) => Tensors): Program => traced({ inputs: specsOf(values) }, ({ inputs }) => ({ outputs: of(inputs) }));

/** The names of what a program computes, in its order. */
const namesOf = ({ schedule }: Program): readonly string[] => schedule.flatMap((node) => (node.kind === "apply" ? [node.op.name] : []));

deviceTest("an activation, a residual, a number and a row's factors are computed by the product that they read", async (device) => {
  const program = programOf(({ x, w, v, bias, y, one }) => ({
    a: gelu(linear(x, w, bias)),
    b: add(y, reshape(linear(x, v, bias), [rows, out])),
    c: mul(matmul(x, w, { tb: true }), one),
    d: mul(matmul(x, v, { tb: true, scale: 0.3 }), bias),
    e: sub(y, scale(reshape(matmul(x, v, { tb: true }), [rows, out]), 0.7)),
  }));
  const { launches, after } = await keepsBits(device, program, productEpilogues, feed);
  assert.equal(launches, [11, 5]);
  assert.equal(new Set(namesOf(after)), new Set(["matmul"]));
});

deviceTest("what has an element for each column of all heads is no epilogue of a product by heads", async (device) => {
  const heads: Readonly<Record<string, Value>> = { p: numbers([2, 4, 5, 7], 1), v: numbers([2, 7, 16], 2), bias: numbers([16], 3) };
  const program = traced({ inputs: specsOf(heads) }, ({ inputs: { p, v, bias } }) => {
    const first = view(bias, 0, [4]);
    const alone = attentionValues(reshape(p, [8, 1, 5, 7]), reshape(v, [8, 7, 4]), 1);
    return { outputs: { all: add(attentionValues(p, v, 4), bias), one: add(alone, first) } };
  });
  const feed = Object.fromEntries(Object.entries(heads).map(([name, { data }]) => [name, data]));
  const { launches } = await keepsBits(device, program, productEpilogues, feed);
  assert.equal(launches, [4, 3]);
});

deviceTest("a product that others read too gives its own value and one more; one that is a result likewise", async (device) => {
  const program = programOf(({ x, w, v, bias }) => {
    const h = linear(x, w, bias);
    const kept = matmul(x, v, { tb: true });
    return { a: matmul(quickGelu(h), w), b: sum(h), kept, c: square(kept) };
  });
  const { after } = await keepsBits(device, program, productEpilogues, feed);
  assert.equal(
    namesOf(after),
    ["matmul", "matmul", "matmul", "sum"].sort((a, b) => namesOf(after).indexOf(a) - namesOf(after).indexOf(b)),
  );
});

deviceTest("two that alone read a product take its place", async (device) => {
  const program = programOf(({ x, w, y, bias }) => {
    const h = reshape(matmul(x, w, { tb: true }), [rows, out]);
    return { a: sum(square(matmul(mul(h, bias), w))), b: sum(mul(h, y)) };
  });
  const { launches } = await keepsBits(device, program, productEpilogues, feed);
  assert.equal(launches, [7, 4]);
});

deviceTest("what comes after a product, a shape of its own, and products of heads", async (device) => {
  const program = programOf(({ x, z, w, v }) => {
    const scores = attentionScores(x, z, 2, 0.5);
    const first = matmul(x, w, { tb: true });
    const later = matmul(z, v, { tb: true });
    // The first product cannot add what is computed after it; the later one can.
    return { s: scale(scores, 0.25), both: add(first, later), t: mul(first, later) };
  });
  const { after, launches } = await keepsBits(device, program, productEpilogues, feed);
  assert.equal(launches, [6, 3], namesOf(after).join(" "));
});

deviceTest("a layer with gated adapters, and its gradients", async (device) => {
  const program = programOf(({ x, z, w, v, bias, A, B, gate }) => {
    const layer = (input: Tensor, weight: Tensor): Tensor => linear(input, weight, bias, { p: mul(matmul(input, A, { tb: true }), gate), q: B });
    const hidden = quickGelu(layer(add(x, z), w));
    const back = matmul(hidden, v);
    const loss = sum(square(add(x, back)));
    const grads = gradient(loss, [A, B, gate, x, z]);
    return { loss, ...Object.fromEntries(["A", "B", "gate", "x", "z"].map((name, i) => [name, grads[i]])) };
  });
  const { launches } = await keepsBits(device, program, productEpilogues, feed);
  assert.ok(launches[1] <= launches[0] - 6, `${launches}`);
});

runTests();
