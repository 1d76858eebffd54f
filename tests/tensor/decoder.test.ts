/** The operations that decoders are made of, against float64 references, and their gradients against directional derivatives. */
import * as assert from "uvu/assert";
import { rmsNorm } from "../../src/tensor/ops/layerNorm.ts";
import { rotary, rotaryFrequencies } from "../../src/tensor/ops/rotary.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { checkOp, deviceTest, evaluate, largestDifference, numbers, runTests, type Value } from "./check.ts";

type Numbers = ArrayLike<number>;

const range = (n: number): readonly number[] => [...Array(n).keys()];
const total = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const whole = (...values: readonly number[]): Value => ({ shape: [values.length], data: Uint32Array.from(values) });

/** [rows, width]: one, primes, one off a workgroup, more rows than a chunk of the gradient's sums. */
const matrices = [
  [1, 1],
  [1, 2],
  [3, 13],
  [7, 63],
  [65, 65],
  [130, 5],
  [2, 1009],
] as const;

deviceTest("rmsNorm", async (device) => {
  for (const [rows, width] of matrices) {
    for (const eps of [1e-5, 0.5]) {
      await checkOp(device, `rmsNorm ${rows} ${width}`, {
        inputs: { x: numbers([rows, width], 1, -3, 3), gain: numbers([width], 2, 0.5, 2) },
        op: ({ x, gain }) => rmsNorm(x, gain, eps),
        reference: ({ x, gain }) =>
          Float64Array.from(
            range(rows).flatMap((r) => {
              const row = [...x.slice(r * width, (r + 1) * width)];
              const rms = Math.sqrt(total(row.map((v) => v * v)) / width + eps);
              return row.map((v, c) => (v / rms) * gain[c]);
            }),
          ),
        // One number alone is normed to its sign: its slope is the small difference of large terms.
        slopeTolerance: width === 1 ? 1 : 1e-4,
      });
    }
  }
  const got = await evaluate(device, { x: { shape: [2, 3], data: Float32Array.of(0, 0, 0, 1e-4, 0, 0) }, gain: numbers([3], 1) }, ({ x, gain }) => ({
    y: rmsNorm(x, gain, 1e-5),
    none: rmsNorm(rmsNorm(x, gain, 1e-5), gain, 1e-5),
  }));
  assert.equal([...got.y.subarray(0, 3)], [0, 0, 0], "a row of zeros stays one");
});

/** Rotary positions in f64, with frequencies and angles rounded to f32 as they are computed. */
const turned = (
  x: Numbers,
  [batch, tokens, heads, d]: readonly [number, number, number, number],
  frequencies: readonly number[],
  position: (token: number, row: number) => number,
): Float64Array => {
  const y = new Float64Array(x.length);
  for (const b of range(batch)) {
    for (const t of range(tokens)) {
      for (const h of range(heads)) {
        for (const i of range(d / 2)) {
          const angle = Math.fround(position(t, b) * Math.fround(frequencies[i]));
          const [first, second] = [0, d / 2].map((half) => ((b * tokens + t) * heads + h) * d + half + i);
          y[first] = x[first] * Math.cos(angle) - x[second] * Math.sin(angle);
          y[second] = x[second] * Math.cos(angle) + x[first] * Math.sin(angle);
        }
      }
    }
  }
  return y;
};

deviceTest("rotary: from 0, from rows' starts, behind what is kept, and both", async (device) => {
  for (const [shape, theta, starts, at] of [
    [[1, 1, 1, 2], 10000, undefined, undefined],
    [[2, 7, 3, 4], 10000, undefined, undefined],
    [[3, 5, 1, 6], 100, [0, 3, 9], undefined],
    [[1, 65, 2, 10], 100000, undefined, 63],
    [[2, 1, 3, 64], 100000, [0, 5], 2047],
    [[3, 0, 2, 4], 10000, [0, 1, 2], 4],
    [[2, 3, 1, 4], 5, [4, 5], 2],
  ] as const) {
    const [batch, tokens, heads, d] = shape;
    const position = (t: number, b: number): number => Math.max(0, (at ?? 0) + t - (starts?.[b] ?? 0));
    await checkOp(device, `rotary [${shape}] at ${at} from ${starts}`, {
      inputs: {
        x: numbers([batch, tokens, heads * d], 1),
        ...(starts && { starts: whole(...starts) }),
        ...(at === undefined ? {} : { at: whole(at) }),
      },
      op: ({ x, starts: s, at: a }) => rotary(x, heads, { theta, ...(starts && { starts: s }), ...(at === undefined ? {} : { at: a }) }),
      reference: ({ x }) => turned(x, shape, rotaryFrequencies(d, theta), position),
    });
  }
});

deviceTest("rotary at positions up to 100,000, and with frequencies of one's own", async (device) => {
  const frequencies = [1, 0.7310585, 3e-7, 0];
  const x = numbers([1, 3, 8], 1);
  for (const at of [1, 2, 3, 355, 710, 4096, 65535, 99_999]) {
    const got = await evaluate(device, { x, at: whole(at) }, ({ x: t, at: a }) => ({ y: rotary(t, 1, { frequencies, at: a }) }));
    const off = largestDifference(
      got.y,
      turned(x.data, [1, 3, 1, 8], frequencies, (t) => at + t),
    );
    assert.ok(off < 4e-7, `at ${at}: off by ${off}`);
  }
});

deviceTest("scores of rotary queries and keys depend on distances alone", async (device) => {
  const [q, k] = [numbers([1, 1, 16], 1), numbers([1, 1, 16], 2)];
  const scores: number[] = [];
  for (const [i, j] of [
    [5, 2],
    [103, 100],
    [3, 0],
  ]) {
    const at = (t: Tensor, a: Tensor): Tensor => rotary(t, 1, { theta: 10000, at: a });
    const got = await evaluate(device, { q, k, i: whole(i), j: whole(j) }, (t) => ({ q: at(t.q, t.i), k: at(t.k, t.j) }));
    scores.push(total([...got.q].map((v, c) => v * got.k[c])));
  }
  assert.ok(Math.max(...scores) - Math.min(...scores) < 1e-5, `${scores}`);
});

runTests();
