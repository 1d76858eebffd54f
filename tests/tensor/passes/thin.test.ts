import * as assert from "uvu/assert";
import type { Adapter } from "../../../src/device/device.ts";
import { boundsOf } from "../../../src/kernels/bounds.ts";
import { gradient } from "../../../src/tensor/gradient.ts";
import { add, mul, square } from "../../../src/tensor/ops/elementwise.ts";
import { linear, matmul } from "../../../src/tensor/ops/matmul.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { thinGradients } from "../../../src/tensor/passes/thin.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats, reshape } from "../../../src/tensor/tensor.ts";
import { deviceTest, largestDifference, numbers, orThrow, readAll, runTests, specsOf, traced, using, withKernelsOf } from "../check.ts";

const [rows, width, out, rank] = [10, 12, 20, 3];
const layers = ["q", "k", "v"];
const values = {
  x: numbers([2, rows / 2, width], 1),
  ...Object.fromEntries(
    layers.flatMap((name, i) => [
      [`${name}.w`, numbers([out, width], 10 + i)],
      [`${name}.A`, numbers([rank, width], 20 + i)],
      [`${name}.B`, numbers([out, rank], 30 + i)],
    ]),
  ),
};
const feed = Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]));

/** Layers with a common input, whose outputs are multiplied; and the gradient of the input. */
const program = traced({ inputs: specsOf(values) }, ({ inputs }) => {
  const [q, k, v] = layers.map((name) =>
    linear(inputs.x, inputs[`${name}.w`], undefined, { p: matmul(inputs.x, inputs[`${name}.A`], { tb: true }), q: inputs[`${name}.B`] }),
  );
  const loss = sum(square(mul(mul(q, k), v)), 1e-4);
  return { outputs: { loss, dx: gradient(loss, [inputs.x])[0] } };
});

const count = ({ schedule }: Program, name: string): number => schedule.filter((node) => node.kind === "apply" && node.op.name === name).length;

deviceTest("thin products of an input's gradient are parts of the wide ones on GPUs, near the sum as it was written", async (device) => {
  const run = (on: Adapter["kind"]): Promise<Readonly<Record<string, Float32Array>>> =>
    using(withKernelsOf(on, device), program, (exe) => {
      orThrow(exe.run(feed));
      return readAll(exe, ["loss", "dx"]);
    });
  const after = thinGradients(program, boundsOf(withKernelsOf("gpu", device)));
  assert.is(count(program, "matmul") - count(after, "matmul"), 2);
  assert.is(count(program, "add") - count(after, "add"), 2);
  const [cpu, gpu] = [await run("cpu"), await run("gpu")];
  const scale = Math.max(...cpu.dx.map(Math.abs));
  assert.ok(largestDifference(gpu.dx, cpu.dx) <= 2e-6 * scale);
});

deviceTest("CPU adapters sum in the order that was written", async (device) => {
  assert.is(thinGradients(program, boundsOf(withKernelsOf("cpu", device))), program);
});

deviceTest("products of matrices of other sizes stay apart, though they have as many elements", async (device) => {
  const specs = { a: floats([6, 5]), b: floats([5, 4]), p: floats([4, 3]), q: floats([3, 6]), rest: floats([4, 6]) };
  const other = traced({ inputs: specs }, ({ inputs: { a, b, p, q, rest } }) => ({
    outputs: { y: add(add(reshape(matmul(a, b), [4, 6]), rest), matmul(p, q)) },
  }));
  assert.is(thinGradients(other, boundsOf(withKernelsOf("gpu", device))), other);
});

runTests();
