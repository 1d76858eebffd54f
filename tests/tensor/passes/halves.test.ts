/** f16 is read as it is stored where kernels can, and widened right before the reader where they cannot. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { resident } from "../../../src/device/resident.ts";
import { fromF16, toF16 } from "../../../src/formats/half.ts";
import type { Bounds } from "../../../src/kernels/bounds.ts";
import { add, mul } from "../../../src/tensor/ops/elementwise.ts";
import { gather } from "../../../src/tensor/ops/embedding.ts";
import { layerNorm, rmsNorm } from "../../../src/tensor/ops/layerNorm.ts";
import { linear } from "../../../src/tensor/ops/matmul.ts";
import { gradient } from "../../../src/tensor/gradient.ts";
import { sum } from "../../../src/tensor/ops/reduce.ts";
import { narrow } from "../../../src/tensor/ops/narrow.ts";
import { widen } from "../../../src/tensor/ops/widen.ts";
import { readHalves } from "../../../src/tensor/passes/halves.ts";
import { asStored } from "../../../src/tensor/passes/stored.ts";
import type { Program } from "../../../src/tensor/program.ts";
import { reshape, view, type Dtype, type Node, type Tensor } from "../../../src/tensor/tensor.ts";
import { lavapipe, plainGpu } from "../../fixtures/gpu.ts";
import { numbers, orThrow, readAll, runTests, sameBits, specsOf, traced, using, wholes, withKernelsOf } from "../check.ts";
import { mixedTest } from "../mixedTest.ts";

const names = ({ schedule }: Program): readonly string[] => schedule.flatMap((node) => (node.kind === "apply" ? [node.op.name] : []));
const optimised = (program: Program, bounds: Bounds): readonly string[] => names(readHalves(program, bounds));

mixedTest("narrow rounds to nearest, ties to even, and widen gives that back: odd lengths, subnormals, windows", async (device) => {
  const edges = [1 + 2 ** -11, 1 + 3 * 2 ** -11, -1 - 2 ** -11, 65519, 2 ** -14, 0, -0];
  for (const count of [1, 2, 7, 63, 129, 1009, 0]) {
    const x = { shape: [count], data: Float32Array.from({ length: count }, (_, i) => edges[i] ?? numbers([count], 1, -9, 9).data[i]) };
    const program = traced({ inputs: specsOf({ x }) }, ({ inputs }) => ({ outputs: { y: widen(narrow(inputs.x)) } }));
    for (const limits of [device.limits, { ...device.limits, maxStorageBufferBindingSize: 1024 }]) {
      await using({ ...device, limits }, program, async (exe) => {
        orThrow(exe.run({ x: x.data }));
        sameBits(
          (await readAll(exe, ["y"])).y,
          x.data.map((v) => fromF16(toF16(v))),
          `${count} elements`,
        );
      });
    }
  }
});

/** A step on weights that are stored as f16, which products, sums, a norm and a gather read. */
const [rows, width, out] = [13, 8, 24];
const x = numbers([rows, width], 1);
const ids = wholes([5], 2, 31);
const shapes = { w: [out, width], table: [31, width], shift: [rows, width], image: [2, 128] } as const;
const step = traced(
  { frozen: Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype: "f32" as const }])), inputs: specsOf({ x, ids }) },
  ({ frozen: { w, table, shift, image }, inputs }) => ({
    outputs: {
      product: linear(inputs.x, w),
      part: linear(view(image, 128, [16, width]), w),
      whole: linear(inputs.x, reshape(w, [out, width])),
      rows: gather(table, inputs.ids),
      sum: mul(add(inputs.x, shift), shift),
      norm: layerNorm(shift, view(image, 0, [width]), view(image, 0, [width]), 1e-5),
    },
  }),
);
const half = new Map(Object.keys(shapes).map((name) => [name, { dtype: "f16" as const, buffer: undefined as never }]));

mixedTest(
  "products, element-wise operations and gathers read f16 themselves, also through views, and so does a norm, but for its gain; the bits are those of f32",
  async (device) => {
    const weights = Object.entries(shapes).map(([name, shape], i) => {
      const data = numbers(shape, 10 + i).data.map((v) => fromF16(toF16(v)));
      return [name, { data: Float32Array.from(data) }] as const;
    });
    const results: Readonly<Record<string, Float32Array>>[] = [];
    for (const dtype of ["f32", "f16"] as const) {
      const uploaded = orThrow(resident(device, weights, () => dtype));
      await using(
        device,
        step,
        async (exe) => {
          orThrow(exe.run({ x: x.data, ids: ids.data }));
          results.push(await readAll(exe, Object.keys(step.outputs)));
        },
        uploaded,
      );
      uploaded.release();
    }
    for (const [name, value] of Object.entries(results[0])) sameBits(results[1][name], value, name);
    const stored = asStored(step, { tensors: half });
    assert.equal(
      stored.leaves.filter(({ role }) => role === "frozen").map(({ outputs: [{ dtype }] }) => dtype),
      ["f16", "f16", "f16", "f16"],
    );
    assert.equal(optimised(stored, lavapipe).filter((name) => name === "widen").length, 2, "the gain and the bias of the norm");
  },
);

mixedTest("norms and their gradients read x, and write y, as f16: the bits of f32, rounded, with the kernels of CPU adapters and of GPUs", async (device) => {
  for (const [tall, wide] of [
    [1, 1],
    [3, 65],
    [67, 13],
    [5, 130],
  ]) {
    const rounded = (seed: number) => ({ shape: [tall, wide], data: numbers([tall, wide], seed, -3, 3).data.map((v) => fromF16(toF16(v))) });
    const values = { x: rounded(1), dy: numbers([tall, wide], 2), gain: numbers([wide], 3, 0.5, 2), bias: numbers([wide], 4) };
    const stepOf = (half: boolean): Program =>
      traced({ inputs: specsOf(values) }, ({ inputs: { x, dy, gain, bias } }) => {
        const again = (t: Tensor, at: number, types: readonly Dtype[]): Tensor => {
          const node = t.node as Node & { readonly kind: "apply" };
          return half
            ? node.op.halves!.of(
                node.inputs.map((input, i) => (i === at ? narrow(input) : input)),
                types,
              )[0]
            : t;
        };
        const found = [layerNorm(x, gain, bias, 1e-5), rmsNorm(x, gain, 1e-5)].flatMap((y, i) => {
          const [dx] = gradient(sum(mul(y, dy)), [x]);
          const written = again(y, 0, ["f16", "f32"]);
          return [[`y${i}`, half ? widen(written) : y] as const, [`dx${i}`, again(dx, 1, ["f32"])] as const];
        });
        return { outputs: Object.fromEntries(found) };
      });
    for (const kind of ["cpu", "gpu"] as const) {
      const results: Readonly<Record<string, Float32Array>>[] = [];
      for (const half of [false, true]) {
        const program = stepOf(half);
        await using(withKernelsOf(kind, device), program, async (exe) => {
          orThrow(exe.run(Object.fromEntries(Object.entries(values).map(([name, { data }]) => [name, data]))));
          results.push(await readAll(exe, Object.keys(program.outputs)));
        });
      }
      for (const [name, value] of Object.entries(results[0]))
        sameBits(results[1][name], name.startsWith("y") ? value.map((v) => fromF16(toF16(v))) : value, `${name} of [${tall}, ${wide}] (${kind})`);
    }
  }
});

test("without shader-f16 a gather alone reads f16, and every other reader has its own widened values", () => {
  const found = optimised(asStored(step, { tensors: half }), plainGpu);
  assert.is(found.filter((name) => name === "widen").length, 9);
  assert.is(found.indexOf("widen") + 1, found.indexOf("matmul"), "they are widened right before");
});

test("a program whose weights are all f32 stays as it is", () => {
  assert.is(readHalves(step, lavapipe), step);
  assert.is(asStored(step, { tensors: new Map() }), step);
});

runTests();
