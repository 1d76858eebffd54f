/** The kernels of attention in tiles of several heights: near float64, and all with the same bits. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { attentionFits, attentionPlans, attentionTypeConstants, type AttentionKernel, type AttentionShape } from "../../src/kernels/attention.ts";
import { boundsOf } from "../../src/kernels/bounds.ts";
import { h100, lavapipe, plainGpu } from "../fixtures/gpu.ts";
import { sameBytes } from "../bytes.ts";
import { checkKernel, deviceTest, dispatch, numbers, reads, runTests, writes, type Case, type Operand } from "./check.ts";

const range = (n: number): readonly number[] => [...Array(n).keys()];
const total = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const bitsOf = (x: number): number => new Uint32Array(Float32Array.of(x).buffer)[0];

const [batch, heads, share, queries, keys] = [1, 2, 2, 67, 43];
const scale = Math.fround(0.7);

/** Causal attention of heads that share keys, forward and backward, in float64. */
const problem = (width: number) => {
  const shape: AttentionShape = { batch, heads, share, queries, keys, width };
  const [q, dy] = [1, 2].map((seed) => numbers(queries * heads * width, seed, -2, 2));
  const [k, v] = [3, 4].map((seed) => numbers(keys * width, seed, -2, 2));
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>, at: number, other: number): number => total(range(width).map((c) => x[at + c] * y[other + c]));
  const [o, dq] = [new Float64Array(q.length), new Float64Array(q.length)];
  const [dk, dv] = [new Float64Array(k.length), new Float64Array(k.length)];
  const [facts, allFacts] = [new Uint32Array(4 * heads * queries), new Uint32Array(4 * heads * queries)];
  for (const h of range(heads)) {
    for (const i of range(queries)) {
      const at = (i * heads + h) * width;
      const seen = range(Math.min(i + 1, keys));
      const s = seen.map((j) => scale * dot(q, k, at, j * width));
      const top = Math.max(...s);
      const row = h * queries + i;
      // The gradients are given rounded facts: so is the reference.
      const lse = Math.fround(top + Math.log(total(s.map((x) => Math.exp(x - top)))));
      const p = s.map((x) => Math.exp(x - lse));
      seen.forEach((j) => range(width).forEach((c) => void (o[at + c] += p[j] * v[j * width + c])));
      const d = Math.fround(dot(o, dy, at, at));
      facts.set([bitsOf(lse), 0, 0, seen.length], 4 * row);
      allFacts.set([bitsOf(lse), bitsOf(d), 0, seen.length], 4 * row);
      seen.forEach((j) => {
        const ds = scale * p[j] * (dot(dy, v, at, j * width) - d);
        range(width).forEach((c) => {
          dq[at + c] += ds * k[j * width + c];
          dk[j * width + c] += ds * q[at + c];
          dv[j * width + c] += p[j] * dy[at + c];
        });
      });
    }
  }
  const off = { absolute: 5e-5, relative: 2e-6 };
  const read = [q, k, v, dy].map(reads);
  // As numbers, the keys that are seen are next to 0: `checkHeights` looks at them.
  const near = (words: Uint32Array): Operand => writes(new Float32Array(words.buffer), { absolute: 1e-5, relative: 3e-7 });
  const operands: Readonly<Record<AttentionKernel, readonly (Operand | undefined)[]>> = {
    attention: [...read.slice(0, 3), undefined, undefined, writes(o, off), near(facts)],
    "attention-grad-queries": [...read, reads(facts), reads(Float32Array.from(o)), writes(dq, off), near(allFacts)],
    "attention-grad-keys": [...read, reads(allFacts), writes(dk, off), writes(dv, off)],
  };
  return { shape, operands, facts };
};

/** Checks a kernel in tiles of several heights, and that their bits are the same. */
const checkHeights = async (device: Device, kernel: AttentionKernel, width: number, heights: readonly number[]): Promise<void> => {
  const { shape, operands, facts } = problem(width);
  const seen = (words: Uint32Array): readonly number[] => [...words.subarray(0, facts.length)].filter((_, i) => i % 4 > 1);
  const plans = attentionPlans(boundsOf(device), shape, kernel);
  let first: readonly (Uint8Array | undefined)[] | undefined;
  for (const height of heights) {
    const plan = plans.find(({ constants }) => constants.ROWS === height);
    assert.ok(plan !== undefined, `${kernel}: no plan with ${height} rows`);
    const one: Case<AttentionKernel> = {
      kernel,
      dims: { ...shape, scale },
      operands: operands[kernel],
      grid: plan!.grid,
      constants: { ...plan!.constants, ...attentionTypeConstants({}, width % 4 === 0), CAUSAL: true },
    };
    await checkKernel(device, one);
    const bits = await dispatch(device, one);
    first ??= bits;
    const written = { attention: bits[6], "attention-grad-queries": bits[7], "attention-grad-keys": undefined }[kernel];
    if (written !== undefined) assert.equal(seen(new Uint32Array(written.buffer)), seen(facts));
    bits.forEach((bytes, i) => assert.ok(bytes === undefined || sameBytes(bytes, first![i]!), `${kernel}, ${height} rows: other bits`));
  }
};

deviceTest("forward", (device) => checkHeights(device, "attention", 4, [1, 3]));
deviceTest("the gradient of queries", (device) => checkHeights(device, "attention-grad-queries", 4, [1, 2]));
deviceTest("the gradients of keys and values", (device) => checkHeights(device, "attention-grad-keys", 4, [1, 2]));
deviceTest("heads wider than 32", (device) => checkHeights(device, "attention", 36, [2]));

test("tiles are as high as the sizes ask for, and fit the workgroup memory", () => {
  const vision = { batch: 64, heads: 12, share: 1, queries: 197, keys: 197, width: 64 };
  const rows = (shape: AttentionShape, kernel: AttentionKernel): unknown => attentionPlans(h100, shape, kernel)[0].constants.ROWS;
  // 197 is five tiles of 40, with three rows to spare.
  for (const kernel of ["attention", "attention-grad-queries", "attention-grad-keys"] as const) assert.is(rows(vision, kernel), 5);
  // A few images do not fill a GPU with such tiles.
  assert.ok(Number(rows({ ...vision, batch: 4 }, "attention")) < 5);
  for (const [bounds, widest] of [
    [h100, 128],
    [lavapipe, 128],
    [plainGpu, 64],
  ] as const) {
    const fits = (width: number): boolean => attentionFits(bounds, { ...vision, width });
    assert.ok(fits(1) && fits(widest) && !fits(129), `${bounds.adapter.line}: ${widest}`);
  }
  assert.not.ok(attentionFits({ ...h100, maxBinding: 64 * 197 * 768 - 1 }, vision));
});

runTests();
