import { test } from "uvu";
import * as assert from "uvu/assert";
import { plainGpu } from "../../fixtures/gpu.ts";
import { gradient } from "../../../src/tensor/gradient.ts";
import { add, mul, square } from "../../../src/tensor/ops/elementwise.ts";
import { linear, matmul, type MatmulOptions } from "../../../src/tensor/ops/matmul.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { productEpilogues } from "../../../src/tensor/passes/epilogues.ts";
import type { Pass } from "../../../src/tensor/passes/pass.ts";
import { sharedInputs } from "../../../src/tensor/passes/sharing.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { floats, pack, size, view, type Tensor } from "../../../src/tensor/tensor.ts";
import { deviceTest, numbers, runTests, traced } from "../check.ts";
import { keepsBits } from "./bits.ts";

const [rows, width, out, rank] = [16, 32, 48, 4];
const names = ["q", "k", "v"];

/** Layers with a common input and gated adapters, whose factors lie one behind the other in flat tensors; and the gradients of these, in packs. */
const program: Program = traced(
  {
    inputs: { x: floats([2, rows / 2, width]), A: floats([3 * rank * width]), B: floats([3 * out * rank]), gate: floats([3 * 64]), w: floats([3, out, width]) },
  },
  ({ inputs: { x, A, B, gate, w } }) => {
    const views = (flat: Tensor, step: number, shape: readonly number[]): readonly Tensor[] => names.map((_, i) => view(flat, i * step, shape));
    const [As, Bs, gates, ws] = [
      views(A, rank * width, [rank, width]),
      views(B, out * rank, [out, rank]),
      views(gate, 64, [rank]),
      views(w, out * width, [out, width]),
    ];
    const [q, k, v] = names.map((_, i) => linear(x, ws[i], undefined, { p: mul(matmul(x, As[i], { tb: true, scale: 0.5 }), gates[i]), q: Bs[i] }));
    const loss = sum(square(add(mul(q, k), v)), 1e-3);
    const grads = gradient(loss, [...As, ...Bs]);
    const packed = (parts: readonly Tensor[], step: number): Tensor =>
      square(
        pack(
          parts,
          parts.map((_, i) => i * step),
          parts.length * step,
        ),
      );
    return { outputs: { loss, A: packed(grads.slice(0, 3), rank * width), B: packed(grads.slice(3), out * rank) } };
  },
);

const feed = Object.fromEntries(program.leaves.map(({ name, outputs: [{ shape }] }, i) => [name, numbers(shape, i + 1).data] as const));

const products = ({ schedule }: Program): number => schedule.filter((node) => node.kind === "apply" && node.op.name === "matmul").length;

const onGpus: Pass = (traced, bounds) => sharedInputs(productEpilogues(traced, bounds), bounds);

deviceTest("x Aᵀ of three layers, their gates and the gradients of A and B are products of three on GPUs, with the same bits", async (device) => {
  const { after, launches } = await keepsBits(device, program, onGpus, feed);
  assert.is(products(program) - products(after), 8, "two less for x Aᵀ, for what the gradients of A are made of, and for those of A and of B");
  assert.is(after.schedule.filter((node) => node.kind === "apply" && node.op.name === "copy").length, 0);
  assert.ok(launches[1] <= launches[0] - 11, `${launches}`);
});

deviceTest("what lies unevenly, or is read by something else, stays apart", async (device) => {
  const uneven = traced({ inputs: { x: floats([16, 32]), A: floats([1024]) } }, ({ inputs: { x, A } }) => {
    const at = (offset: number): Tensor => matmul(x, view(A, offset, [4, 32]), { tb: true });
    return { outputs: { y: add(mul(at(0), at(128)), at(512)) } };
  });
  const of = { x: numbers([16, 32], 1).data, A: numbers([1024], 2).data };
  const { after } = await keepsBits(device, uneven, sharedInputs, of);
  assert.is(products(after), 3);
});

/** Products of one matrix with three that lie one behind the other. */
const threeOf = (x: Tensor, flat: Tensor, shape: readonly number[], form: MatmulOptions): Tensor => {
  const factors = [0, 1, 2].map((i) => view(flat, i * size(shape), shape));
  const [a, b, c] = factors.map((factor) => matmul(x, factor, form));
  return add(add(a, b), c);
};

deviceTest("products that are split along k are split as they would be alone, so that no bit changes", async (device) => {
  const [terms, wide, thin] = [1024, 1600, 4];
  const split = traced({ inputs: { x: floats([terms, wide]), d: floats([3 * terms * thin]) } }, ({ inputs: { x, d } }) => ({
    outputs: { y: threeOf(x, d, [terms, thin], { ta: true }) },
  }));
  const of = { x: numbers([terms, wide], 1).data, d: numbers([3 * terms * thin], 2).data };
  const { after, launches } = await keepsBits(device, split, sharedInputs, of);
  assert.is(products(after), 1);
  assert.equal(launches, [3 * 2 + 2, 2 + 2], "a launch for the parts and one for their sum");
});

test("products whose values, or whose operands, are larger together than a binding stay apart", () => {
  const [rows, columns, terms] = [64, 48, 8];
  const of = (m: number, n: number): Program =>
    traced({ inputs: { x: floats([m, terms]), A: floats([3 * n * terms]) } }, ({ inputs: { x, A } }) => ({
      outputs: { y: threeOf(x, A, [n, terms], { tb: true }) },
    }));
  const shared = (program: Program, maxBinding: number): boolean => products(sharedInputs(program, { ...plainGpu, maxBinding })) === 1;
  const [values, operands] = [3 * rows * columns, 3 * rows * terms];
  assert.equal(
    [values, values - 1].map((limit) => shared(of(rows, columns), limit)),
    [true, false],
  );
  assert.equal(
    [operands, operands - 1].map((limit) => shared(of(1, rows), limit)),
    [true, false],
  );
});

deviceTest("a pack that comes later is no operand", async (device) => {
  const [m, k, n] = [8, 8, 16];
  const later = traced({ inputs: { x: floats([3, m, k]), w: floats([k, n]) } }, ({ inputs: { x, w } }) => {
    const factors = names.map((_, i) => square(view(x, i * m * k, [m, k])));
    const offsets = (step: number): readonly number[] => names.map((_, i) => i * step);
    const y = square(
      pack(
        factors.map((factor) => matmul(factor, w)),
        offsets(m * n),
        3 * m * n,
      ),
    );
    return { outputs: { y, z: square(pack([...factors, y], [...offsets(m * k), 3 * m * k], 3 * m * (k + n))) } };
  });
  const of = { x: numbers([3, m, k], 1).data, w: numbers([k, n], 2).data };
  const { after } = await keepsBits(device, later, sharedInputs, of);
  assert.is(products(after), 3);
});

runTests();
