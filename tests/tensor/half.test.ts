/** f16 as a way to store frozen tensors. */
import * as E from "fp-ts/lib/Either.js";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { fromF16, toF16 } from "../../src/formats/half.ts";
import { instantiate } from "../../src/tensor/executable.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { add, swiglu } from "../../src/tensor/ops/elementwise.ts";
import { gather } from "../../src/tensor/ops/embedding.ts";
import { rmsNorm } from "../../src/tensor/ops/layerNorm.ts";
import { linear } from "../../src/tensor/ops/matmul.ts";
import { sum } from "../../src/tensor/ops/reduce.ts";
import { tokenLogLikelihood } from "../../src/tensor/ops/tokenLogLikelihood.ts";
import { widen } from "../../src/tensor/ops/widen.ts";
import { trace } from "../../src/tensor/program.ts";
import { resident } from "../../src/device/resident.ts";
import { halves, leaf, size, view, type Tensor } from "../../src/tensor/tensor.ts";
import { deviceTest, failureOf, largestDifference, numbers, orThrow, readAll, runTests, sameBits, specsOf, traced, using, wholes } from "./check.ts";

/** Float32 values that f16 holds, among them what is hard to convert: subnormals, the ends, zeros of both signs. */
const halfValues = (count: number): Float32Array => {
  const edges = [0, -0, 2 ** -24, -(2 ** -24), 1023 * 2 ** -24, 2 ** -14, 65504, -65504, 1, -1 / 3];
  return Float32Array.from({ length: count }, (_, i) => fromF16(toF16(edges[i] ?? numbers([count], 3, -9, 9).data[i])));
};

deviceTest("widen: what f16 stores, as f32, to the bit; odd lengths, views and windows", async (device) => {
  for (const shape of [[1], [2], [3], [13, 7], [64], [65], [127, 3], [1009], [0, 5], [128, 9]]) {
    const data = halfValues(size(shape));
    const uploaded = orThrow(resident(device, [["w", { data }]], () => "f16"));
    const program = traced({ frozen: { w: halves(shape) } }, ({ frozen: { w } }) => ({
      outputs: { y: widen(w), ...(size(shape) > 200 ? { part: widen(view(w, 128, [size(shape) - 128])) } : {}) },
    }));
    for (const limits of [device.limits, { ...device.limits, maxStorageBufferBindingSize: 1024 }]) {
      await using(
        { ...device, limits },
        program,
        async (exe) => {
          orThrow(exe.run());
          const got = await readAll(exe, Object.keys(program.outputs));
          sameBits(got.y, data, `f16 of [${shape.join(", ")}]`);
          if (got.part !== undefined) sameBits(got.part, data.slice(128), "a part");
        },
        uploaded,
      );
    }
    uploaded.release();
  }
});

deviceTest("a product with a widened weight is near one in f64; f16 takes half of the bytes", async (device) => {
  const [rows, k, n] = [13, 65, 7];
  const [x, w] = [numbers([rows, k], 1), numbers([n, k], 2)];
  const before = device.ledger().liveBytes;
  const uploaded = orThrow(resident(device, [["w", { data: Float32Array.from(w.data) }]], () => "f16"));
  assert.ok(device.ledger().liveBytes - before < 2 * n * k + 256);
  const program = traced({ frozen: { w: halves([n, k]) }, inputs: specsOf({ x }) }, ({ frozen: { w }, inputs: { x } }) => {
    const y = linear(x, widen(w));
    return { outputs: { y, dx: gradient(sum(y), [x])[0] } };
  });
  await using(
    device,
    program,
    async (exe) => {
      orThrow(exe.run({ x: x.data }));
      const { y, dx } = await readAll(exe, ["y", "dx"]);
      const half = Array.from(w.data, (v) => fromF16(toF16(v)));
      const want = Array.from({ length: rows * n }, (_, i) =>
        Array.from({ length: k }, (_, t) => x.data[Math.floor(i / n) * k + t] * half[(i % n) * k + t]).reduce((a, b) => a + b),
      );
      assert.ok(largestDifference(y, want) < 1e-5);
      const slopes = Array.from({ length: rows * k }, (_, i) => Array.from({ length: n }, (_, j) => half[j * k + (i % k)]).reduce((a, b) => a + b));
      assert.ok(largestDifference(dx, slopes) < 1e-5);
    },
    uploaded,
  );
  uploaded.release();
});

deviceTest("f16 is a way to store frozen tensors and nothing else, and what is stored otherwise is said", async (device) => {
  const wrong = (step: (w: Tensor) => Tensor, word: string): void => {
    const failure = failureOf(trace({ frozen: { w: halves([4]) } }, ({ frozen: { w } }) => E.right({ outputs: { y: step(w) } })));
    assert.ok(describe(failure).includes(word), describe(failure));
  };
  wrong((w) => add(w, w), "f16[4] must be widened first");
  wrong((w) => w, "must be widened first");
  wrong((w) => widen(view(w, 64, [1])), "multiple of 128");
  wrong((w) => widen(widen(w)), "is not of f16");
  assert.is(failureOf(trace({ inputs: { x: halves([4]) } }, () => E.right({})))._tag, "ShapeMismatch");
  assert.is(failureOf(trace({}, () => E.right({ outputs: { y: widen(leaf("input", "x", halves([4]))) } })))._tag, "ShapeMismatch");
  const uploaded = orThrow(resident(device, [["w", { data: new Float32Array(4) }]]));
  const program = traced({ frozen: { w: halves([4]) } }, ({ frozen: { w } }) => ({ outputs: { y: widen(w) } }));
  assert.ok(describe(failureOf(await instantiate(device, program, uploaded)())).includes("is stored as f32, where f16 is expected"));
  uploaded.release();
});

deviceTest("gather reads the rows of a table of f16, also in windows; nothing else is widened", async (device) => {
  for (const [rows, width] of [
    [67, 7],
    [300, 3],
    [131, 64],
  ] as const) {
    const data = halfValues(rows * width);
    const ids = wholes([2, 13], 5, rows);
    const uploaded = orThrow(resident(device, [["w", { data }]], () => "f16"));
    const program = traced({ frozen: { w: halves([rows, width]) }, inputs: specsOf({ ids }) }, ({ frozen: { w }, inputs }) => ({
      outputs: { y: gather(widen(w), inputs.ids) },
    }));
    assert.equal(
      program.schedule.flatMap((node) => (node.kind === "apply" ? [node.op.name] : [])),
      ["gather"],
    );
    for (const limits of [device.limits, { ...device.limits, maxStorageBufferBindingSize: 4 * 128 * width }]) {
      await using(
        { ...device, limits },
        program,
        async (exe) => {
          orThrow(exe.run({ ids: ids.data }));
          const { y } = await readAll(exe, ["y"]);
          const want = Float32Array.from({ length: y.length }, (_, e) => data[ids.data[Math.floor(e / width)] * width + (e % width)]);
          sameBits(y, want, `[${rows}, ${width}]`);
        },
        uploaded,
      );
    }
    uploaded.release();
  }
});

deviceTest("a decoder's operations on tables and weights of f16 give the bits of the same values in f32", async (device) => {
  const [vocabulary, width, mlp, tokens] = [67, 12, 20, 5];
  const shapes = { table: [vocabulary, width], gate: [mlp, width], up: [mlp, width], down: [width, mlp] } as const;
  const weights = new Map(Object.entries(shapes).map(([name, shape]) => [name, { data: halfValues(size(shape)) }]));
  const [ids, next, gain] = [wholes([tokens], 5, vocabulary), wholes([tokens], 6, vocabulary), numbers([width], 7, 0.5, 2)];
  const results: Readonly<Record<string, Float32Array>>[] = [];
  for (const dtype of ["f16", "f32"] as const) {
    const uploaded = orThrow(resident(device, weights, () => dtype));
    const frozen = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, dtype }]));
    const program = traced({ frozen, inputs: specsOf({ ids, next, gain }) }, ({ frozen: stored, inputs }) => {
      const w = (name: keyof typeof shapes): Tensor => (dtype === "f16" ? widen(stored[name]) : stored[name]);
      const x = rmsNorm(gather(w("table"), inputs.ids), inputs.gain, 1e-5);
      const y = add(x, linear(swiglu(linear(x, w("gate")), linear(x, w("up"))), w("down")));
      const likelihood = tokenLogLikelihood(linear(y, w("table")), inputs.next);
      return { outputs: { likelihood, slope: gradient(sum(likelihood), [inputs.gain])[0] } };
    });
    await using(
      device,
      program,
      async (exe) => {
        orThrow(exe.run({ ids: ids.data, next: next.data, gain: gain.data }));
        results.push(await readAll(exe, ["likelihood", "slope"]));
      },
      uploaded,
    );
    uploaded.release();
  }
  const [half, full] = results;
  assert.ok(half.likelihood.every(Number.isFinite));
  sameBits(half.likelihood, full.likelihood, "likelihood");
  sameBits(half.slope, full.slope, "gradient");
});

runTests();
