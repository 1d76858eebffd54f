/** Attention as one operation, forward and backward, against float64. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as E from "fp-ts/lib/Either.js";
import { describe } from "../../src/failure.ts";
import { flashAttention, type AttentionOptions } from "../../src/tensor/ops/attention.ts";
import { trace, type Tensors } from "../../src/tensor/program.ts";
import { checkOp, deviceTest, failureOf, numbers, runTests, specsOf, type Doubles, type Value } from "./check.ts";

interface Case {
  readonly batch?: number;
  readonly heads?: number;
  readonly keyHeads?: number;
  readonly queries: number;
  readonly keys: number;
  readonly d: number;
  readonly causal?: boolean;
  readonly starts?: readonly number[];
  readonly at?: number;
  readonly wrt?: readonly string[];
}

const range = (n: number): readonly number[] => [...Array(n).keys()];
const whole = (...values: readonly number[]): Value => ({ shape: [values.length], data: Uint32Array.from(values) });

/** The same in float64. */
const reference =
  ({ batch = 1, heads = 1, keyHeads = heads, queries, keys, d, causal = false, starts, at = 0 }: Case) =>
  ({ q, k, v }: Doubles): Float64Array => {
    const o = new Float64Array(batch * queries * heads * d);
    for (const b of range(batch)) {
      for (const h of range(heads)) {
        const keyAt = (j: number): number => ((b * keys + j) * keyHeads + Math.floor((h * keyHeads) / heads)) * d;
        for (const i of range(queries)) {
          const queryAt = ((b * queries + i) * heads + h) * d;
          const end = causal ? Math.min(keys, at + i + 1) : keys;
          const seen = range(keys).filter((j) => j < end && j >= (starts?.[b] ?? 0));
          const s = seen.map((j) => d ** -0.5 * range(d).reduce((x, c) => x + q[queryAt + c] * k[keyAt(j) + c], 0));
          const e = s.map((x) => Math.exp(x - Math.max(...s)));
          const total = e.reduce((x, y) => x + y, 0);
          seen.forEach((j, n) => range(d).forEach((c) => void (o[queryAt + c] += (e[n] / total) * v[keyAt(j) + c])));
        }
      }
    }
    return o;
  };

const optionsOf = ({ heads = 1, keyHeads, causal, starts, at }: Case, t: Tensors): AttentionOptions => ({
  ...{ heads, keyHeads, causal },
  ...(starts && { starts: t.starts }),
  ...(at === undefined ? {} : { at: t.at }),
});

const cases: Readonly<Record<string, readonly Case[]>> = {
  "of one token, of primes, of odd widths": [
    { queries: 1, keys: 1, d: 1 },
    { batch: 2, heads: 3, queries: 7, keys: 13, d: 3 },
    { queries: 5, keys: 1, d: 2 },
  ],
  "one off a tile, as wide as 64, 80 and 128": [
    { queries: 9, keys: 33, d: 64 },
    { queries: 8, keys: 31, d: 80, wrt: [] },
    { queries: 7, keys: 32, d: 128, wrt: ["q"] },
  ],
  causal: [
    { heads: 2, queries: 41, keys: 41, d: 3, causal: true },
    { queries: 5, keys: 33, d: 3, causal: true },
    { queries: 35, keys: 3, d: 3, causal: true },
  ],
  "of padded samples, one of which is all padding, behind kept keys": [
    { batch: 3, queries: 34, keys: 34, d: 3, causal: true, starts: [0, 33, 34] },
    { batch: 2, queries: 3, keys: 40, d: 3, causal: true, starts: [33, 2], at: 35 },
    { batch: 2, queries: 3, keys: 40, d: 3, starts: [33, 40] },
  ],
  "of heads that share keys": [
    { batch: 2, heads: 6, keyHeads: 2, queries: 33, keys: 33, d: 3, causal: true, starts: [0, 5] },
    { heads: 3, keyHeads: 1, queries: 4, keys: 9, d: 3 },
  ],
  "of nothing": [
    { queries: 0, keys: 3, d: 3 },
    { batch: 0, queries: 2, keys: 3, d: 3 },
  ],
};

for (const [what, several] of Object.entries(cases)) {
  deviceTest(`attention ${what}`, async (device) => {
    for (const one of several) {
      const { batch = 1, heads = 1, keyHeads = heads, queries, keys, d, starts, at, wrt } = one;
      await checkOp(device, JSON.stringify(one), {
        inputs: {
          q: numbers([batch, queries, heads * d], 1, -2, 2),
          k: numbers([batch, keys, keyHeads * d], 2, -2, 2),
          v: numbers([batch, keys, keyHeads * d], 3),
          ...(starts && { starts: whole(...starts) }),
          ...(at === undefined ? {} : { at: whole(at) }),
        },
        op: (t) => flashAttention(t.q, t.k, t.v, optionsOf(one, t)),
        reference: reference(one),
        ...(wrt && { wrt }),
      });
    }
  });
}

deviceTest("scores that overflow an exponential, far above and far below zero", async (device) => {
  for (const size of [60, 300]) {
    const one = { queries: 3, keys: 70, d: 3 };
    // The scores are as large as 3 size²; an ulp of them is a share of a weight.
    const inputs = { q: numbers([1, 3, 3], 1, -size, size), k: numbers([1, 70, 3], 2, -size, size), v: numbers([1, 70, 3], 3) };
    const ulp = 2 ** -23 * 3 * size * size;
    await checkOp(device, `size ${size}`, {
      inputs,
      op: (t) => flashAttention(t.q, t.k, t.v, { heads: 1 }),
      reference: reference(one),
      wrt: ["v"],
      tolerance: ulp,
      slopeTolerance: 10 * ulp,
    });
  }
});

test("shapes that do not fit are failures that say so", () => {
  const wrong = (inputs: Readonly<Record<string, Value>>, options: (t: Tensors) => AttentionOptions, words: readonly string[]): void => {
    const failure = failureOf(trace({ inputs: specsOf(inputs) }, ({ inputs: t }) => E.right({ outputs: { y: flashAttention(t.q, t.k, t.k, options(t)) } })));
    assert.is(failure._tag, "ShapeMismatch");
    for (const word of words) assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`);
  };
  const [q, k] = [numbers([2, 3, 12], 1), numbers([2, 5, 6], 2)];
  wrong({ q, k }, () => ({ heads: 6, keyHeads: 4 }), ["6 heads", "4 of keys"]);
  wrong({ q, k }, () => ({ heads: 5 }), ["f32[2, 3, 12]"]);
  wrong({ q: numbers([3, 12], 1), k }, () => ({ heads: 6, keyHeads: 3 }), ["[3, 12]"]);
  wrong({ q: numbers([1, 1, 129], 1), k: numbers([1, 1, 129], 2) }, () => ({ heads: 1 }), ["129 wide", "128"]);
  wrong({ q, k, starts: whole(1) }, ({ starts }) => ({ heads: 6, keyHeads: 3, starts }), ["starts", "2 rows"]);
  wrong({ q, k, at: whole(1) }, ({ at }) => ({ heads: 6, keyHeads: 3, at }), ["causal"]);
});

runTests();
