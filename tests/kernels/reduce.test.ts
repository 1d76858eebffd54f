import { foldGroups } from "../../src/kernels/launch.ts";
import { checkKernel, deviceTest, numbers, reads, rowVariants, runTests, writes } from "./check.ts";

/** The steps of a launch that sums one tensor. */
const alone = { xStep: 0, outStep: 0 };

const scale = Math.fround(-0.75);

/** scale · Σ x[o, j, k] over o in [first, end) and k; and the sum of magnitudes, by which rounding errors are measured. */
const sums = (x: Float32Array, [, wrap, inner]: readonly number[], first: number, end: number, squares: boolean): readonly (readonly [number, number])[] =>
  Array.from({ length: wrap }, (_, j) => {
    let [sum, magnitude] = [0, 0];
    for (let o = first; o < end; o += 1) {
      for (let k = 0; k < inner; k += 1) {
        const v = x[(o * wrap + j) * inner + k];
        sum += squares ? v * v : v;
        magnitude += squares ? v * v : Math.abs(v);
      }
    }
    return [scale * sum, magnitude] as const;
  });

/** Random terms cancel: what counts is the magnitude that was summed. */
const tolerance = (of: readonly (readonly [number, number])[]): { readonly absolute: number } => ({
  absolute: 3e-7 * Math.max(1e-30, ...of.map(([, m]) => m)),
});

const shapes = [
  [1, 1, 1],
  [1, 1, 5003],
  [7, 1, 13],
  [129, 13, 1],
  [5, 65, 1],
  [3, 64, 7],
  [1, 63, 64],
  [2, 67, 65],
  [0, 5, 3],
  [3, 5, 0],
  [4, 0, 3],
  [1, 1, 64],
  [1000, 2, 1],
];

for (const SUMSQ of [false, true]) {
  deviceTest(`reduce${SUMSQ ? ", squares" : ""}`, async (device) => {
    for (const shape of shapes) {
      const [outer, wrap, inner] = shape;
      const x = numbers(outer * wrap * inner, 1 + outer);
      const want = sums(x, shape, 0, outer, SUMSQ);
      for (const { constants, groups } of rowVariants(wrap)) {
        await checkKernel(device, {
          kernel: "reduce",
          constants: { ...constants, SUMSQ },
          dims: { outer, groups: wrap, inner, chunk: 0, scale, ...alone },
          grid: foldGroups(groups),
          operands: [
            reads(x),
            writes(
              want.map(([sum]) => sum),
              tolerance(want),
            ),
          ],
        });
      }
    }
  });

  deviceTest(`reduce${SUMSQ ? ", squares" : ""}, chunks of rows`, async (device) => {
    for (const shape of [
      [1, 1, 1],
      [64, 65, 1],
      [65, 3, 1],
      [200, 13, 5],
      [129, 64, 1],
      [7, 130, 1],
    ]) {
      const [outer, wrap, inner] = shape;
      for (const chunk of [1, 7, 64]) {
        const x = numbers(outer * wrap * inner, 2 + outer);
        const chunks = Math.ceil(outer / chunk);
        const want = Array.from({ length: chunks }, (_, c) => sums(x, shape, c * chunk, Math.min(outer, (c + 1) * chunk), SUMSQ)).flat();
        await checkKernel(device, {
          kernel: "reduce",
          constants: { PARTIAL: true, SUMSQ },
          dims: { outer, groups: wrap, inner, chunk, scale, ...alone },
          grid: [Math.ceil(wrap / 64), chunks, 1],
          operands: [
            reads(x),
            writes(
              want.map(([sum]) => sum),
              tolerance(want),
            ),
          ],
        });
      }
    }
  });
}

deviceTest("a sum of many equal terms keeps its precision", async (device) => {
  // Added one by one, a million terms of 0.1 would be off by a hundredth.
  const count = 1 << 20;
  const x = new Float32Array(count).fill(0.1);
  for (const { constants, groups } of rowVariants(1)) {
    await checkKernel(device, {
      kernel: "reduce",
      constants,
      dims: { outer: 1, groups: 1, inner: count, chunk: 0, scale: 1, ...alone },
      grid: foldGroups(groups),
      operands: [reads(x), writes([count * Math.fround(0.1)], { relative: 1e-5 })],
    });
  }
});

deviceTest("reduce over a folded grid", async (device) => {
  const [outer, wrap, inner] = [3, 130, 2];
  const x = numbers(outer * wrap * inner, 7);
  const want = sums(x, [outer, wrap, inner], 0, outer, false);
  const operands = [
    reads(x),
    writes(
      want.map(([sum]) => sum),
      tolerance(want),
    ),
  ];
  await checkKernel(device, {
    kernel: "reduce",
    constants: { GROUP: false },
    dims: { outer, groups: wrap, inner, chunk: 0, scale, ...alone },
    grid: [2, 2, 1],
    operands,
  });
  await checkKernel(device, {
    kernel: "reduce",
    constants: { GROUP: true },
    dims: { outer, groups: wrap, inner, chunk: 0, scale, ...alone },
    grid: [50, 3, 1],
    operands,
  });
});

deviceTest("several tensors in one launch: each as it is alone, with zeros behind its sums", async (device) => {
  for (const [count, outer, mod] of [
    [1, 3, 5],
    [4, 100, 16],
    [3, 130, 64],
    [2, 7, 63],
  ]) {
    const x = numbers(count * outer * mod, 1);
    const each = Array.from({ length: count }, (_, t) => x.subarray(t * outer * mod, (t + 1) * outer * mod));
    const shape = [outer, mod, 1] as const;
    const outStep = 64;
    await checkKernel(device, {
      kernel: "reduce",
      constants: { GROUP: true, BATCH: true },
      dims: { outer, groups: mod, inner: 1, chunk: 0, scale, xStep: outer * mod, outStep },
      grid: [mod, 1, count],
      operands: [
        reads(x),
        writes(
          each.flatMap((t) => [...sums(t, shape, 0, outer, false).map(([total]) => total), ...new Array<number>(outStep - mod).fill(0)]),
          { absolute: 2e-6 * Math.sqrt(outer) },
        ),
      ],
    });
    const chunk = 64;
    const chunks = Math.ceil(outer / chunk);
    const partial = each.flatMap((t) =>
      Array.from({ length: chunks }, (_, c) => sums(t, shape, c * chunk, Math.min(outer, (c + 1) * chunk), false).map(([total]) => total)).flat(),
    );
    await checkKernel(device, {
      kernel: "reduce",
      constants: { PARTIAL: true, BATCH: true },
      dims: { outer, groups: mod, inner: 1, chunk, scale, xStep: outer * mod, outStep: chunks * mod },
      grid: [1, chunks, count],
      operands: [reads(x), writes(partial, { absolute: 2e-6 * Math.sqrt(chunk) })],
    });
  }
});

runTests();
