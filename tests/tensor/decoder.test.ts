/** The operations that decoders are made of, against float64 references, and their gradients against directional derivatives. */
import * as E from "fp-ts/lib/Either.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import { gradient } from "../../src/tensor/gradient.ts";
import { crossEntropy } from "../../src/tensor/ops/crossEntropy.ts";
import { mul, scale, swiglu } from "../../src/tensor/ops/elementwise.ts";
import { gather } from "../../src/tensor/ops/embedding.ts";
import { attentionScores, attentionValues, matmul } from "../../src/tensor/ops/matmul.ts";
import { expand, sum } from "../../src/tensor/ops/reduce.ts";
import { softmax } from "../../src/tensor/ops/softmax.ts";
import { tokenLogLikelihood } from "../../src/tensor/ops/tokenLogLikelihood.ts";
import { slice } from "../../src/tensor/ops/window.ts";
import { rmsNorm } from "../../src/tensor/ops/layerNorm.ts";
import { rotary, rotaryFrequencies } from "../../src/tensor/ops/rotary.ts";
import { trace, type Tensors } from "../../src/tensor/program.ts";
import { reshape, type Tensor } from "../../src/tensor/tensor.ts";
import {
  checkOp,
  deviceTest,
  evaluate,
  failureOf,
  largestDifference,
  numbers,
  runTests,
  sameBits,
  specsOf,
  wholes,
  withKernelsOf,
  type Value,
} from "./check.ts";

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

deviceTest("rotary at positions up to 100,000, with frequencies from 1 to 3e-7", async (device) => {
  const theta = 5e8;
  const frequencies = rotaryFrequencies(8, theta);
  const x = numbers([1, 3, 8], 1);
  for (const at of [1, 2, 3, 355, 710, 4096, 65535, 99_999]) {
    const got = await evaluate(device, { x, at: whole(at) }, ({ x: t, at: a }) => ({ y: rotary(t, 1, { theta, at: a }) }));
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

/** [batch, queries, keys, heads, keyHeads, width of a head]: one query, one head of keys for all, as many as of queries, primes, one off a tile, none. */
const grouped = [
  [2, 1, 7, 6, 2, 4],
  [2, 5, 5, 9, 3, 4],
  [1, 9, 17, 7, 1, 5],
  [2, 33, 65, 4, 2, 8],
  [0, 3, 3, 4, 2, 2],
  [3, 1, 1, 3, 3, 7],
] as const;

deviceTest("attention with grouped keys and values", async (device) => {
  for (const [batch, queries, keys, heads, keyHeads, d] of grouped) {
    const share = heads / keyHeads;
    const of = (x: Numbers, tokens: number, all: number, b: number, t: number, h: number): ArrayLike<number> =>
      range(d).map((c) => x[((b * tokens + t) * all + h) * d + c]);
    const name = `${batch} ${queries} ${keys} ${heads} ${keyHeads} ${d}`;
    const k = numbers([batch, keys, keyHeads * d], 2);
    await checkOp(device, `scores ${name}`, {
      inputs: { q: numbers([batch, queries, heads * d], 1), k },
      op: ({ q, k: t }) => {
        const scores = attentionScores(q, t, heads, 0.5, keyHeads);
        assert.equal(scores.shape, [batch, heads, queries, keys]);
        return scores;
      },
      reference: ({ q, k: t }) => {
        const score = (b: number, h: number, i: number, j: number): number => {
          const [x, y] = [of(q, queries, heads, b, i, h), of(t, keys, keyHeads, b, j, Math.floor(h / share))];
          return 0.5 * total(range(d).map((c) => x[c] * y[c]));
        };
        return Float64Array.from(
          range(batch).flatMap((b) => range(heads).flatMap((h) => range(queries).flatMap((i) => range(keys).map((j) => score(b, h, i, j))))),
        );
      },
    });
    await checkOp(device, `values ${name}`, {
      inputs: { p: numbers([batch, heads, queries, keys], 3), v: k },
      op: ({ p, v }) => {
        const values = attentionValues(p, v, heads, keyHeads);
        assert.equal(values.shape, [batch, queries, heads * d]);
        return values;
      },
      reference: ({ p, v }) => {
        const value = (b: number, i: number, h: number, c: number): number =>
          total(range(keys).map((j) => p[((b * heads + h) * queries + i) * keys + j] * of(v, keys, keyHeads, b, j, Math.floor(h / share))[c]));
        return Float64Array.from(
          range(batch).flatMap((b) => range(queries).flatMap((i) => range(heads).flatMap((h) => range(d).map((c) => value(b, i, h, c))))),
        );
      },
    });
  }
});

deviceTest("grouped keys give the bits of repeated ones, also one query at a time", async (device) => {
  const [batch, tokens, heads, keyHeads, d] = [2, 9, 6, 2, 8];
  const [q, k] = [numbers([batch, tokens, heads * d], 1), numbers([batch, tokens, keyHeads * d], 2)];
  const got = await evaluate(device, { q, k }, (t) => {
    const repeated = reshape(
      expand(reshape(t.k, [batch * tokens, keyHeads, 1, d]), { outer: 1, mod: batch * tokens * keyHeads * d, div: 1, gap: { count: 3, low: d } }, [
        batch * tokens,
        keyHeads,
        3,
        d,
      ]),
      [batch, tokens, heads * d],
    );
    const [scores, plain] = [attentionScores(t.q, t.k, heads, 0.5, keyHeads), attentionScores(t.q, repeated, heads, 0.5)];
    const one = slice(t.q, 1, 4, 1);
    return {
      scores,
      plain,
      one: attentionScores(one, t.k, heads, 0.5, keyHeads),
      row: slice(scores, 2, 4, 1),
      values: attentionValues(scores, t.k, heads, keyHeads),
      plainValues: attentionValues(scores, repeated, heads),
    };
  });
  sameBits(got.scores, got.plain, "scores");
  sameBits(got.one, got.row, "one query");
  sameBits(got.values, got.plainValues, "values");
});

deviceTest("softmax over what a query sees: from a sample's start, up to itself behind what is kept", async (device) => {
  for (const [batch, heads, queries, keys, starts, at] of [
    [1, 1, 1, 1, [0], undefined],
    [3, 2, 5, 5, [0, 2, 5], undefined],
    [2, 3, 1, 17, [0, 4], 9],
    [3, 1, 4, 13, [0, 7, 9], 7],
    [2, 2, 3, 7, undefined, 3],
    [0, 2, 3, 3, [], 1],
  ] as const) {
    await checkOp(device, `seen ${batch} ${heads} ${queries} ${keys} ${starts} ${at}`, {
      inputs: {
        x: numbers([batch, heads, queries, keys], 1, -5, 5),
        ...(starts && { starts: whole(...starts) }),
        ...(at === undefined ? {} : { at: whole(at) }),
      },
      op: ({ x, starts: s, at: a }) => softmax(x, { causal: true, ...(starts && { starts: s }), ...(at === undefined ? {} : { at: a }) }),
      reference: ({ x }) => {
        const y = new Float64Array(x.length);
        for (const r of range(batch * heads * queries)) {
          const [from, to] = [starts?.[Math.floor(r / (heads * queries))] ?? 0, (at ?? 0) + (r % queries)];
          const seen = range(keys).filter((j) => from <= j && j <= to);
          const e = seen.map((j) => Math.exp(x[r * keys + j]));
          seen.forEach((j, i) => (y[r * keys + j] = e[i] / total(e)));
        }
        return y;
      },
      slopeTolerance: 1e-4,
    });
  }
});

deviceTest("softmax of padded samples without the causal mask", (device) =>
  checkOp(device, "padded", {
    inputs: { x: numbers([2, 3, 4], 1), starts: whole(0, 3) },
    op: ({ x, starts }) => softmax(x, { starts }),
    reference: ({ x }) =>
      Float64Array.from(range(24), (i) => {
        const row = Math.floor(i / 4);
        const e = range(4).map((j) => (row >= 3 && j < 3 ? 0 : Math.exp(x[row * 4 + j])));
        return e[i % 4] / total(e);
      }),
  }),
);

deviceTest("swiglu", async (device) => {
  for (const shape of [[], [1], [0], [65], [7, 13], [3, 1, 129]]) {
    await checkOp(device, `swiglu [${shape}]`, {
      inputs: { gate: numbers(shape, 1, -6, 6), up: numbers(shape, 2, -2, 2) },
      op: ({ gate, up }) => swiglu(gate, up),
      reference: ({ gate, up }) => gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]),
      slopeTolerance: 5e-5,
    });
  }
});

deviceTest("tokenLogLikelihood", async (device) => {
  for (const [rows, width] of [...matrices, [0, 5] as const]) {
    const next = wholes([rows], 3, width);
    await checkOp(device, `tokenLogLikelihood ${rows} ${width}`, {
      inputs: { x: numbers([rows, width], 1, -8, 8), next },
      op: ({ x, next: n }) => tokenLogLikelihood(x, n),
      reference: ({ x }) =>
        Float64Array.from(range(rows), (r) => x[r * width + next.data[r]] - Math.log(total(range(width).map((c) => Math.exp(x[r * width + c]))))),
      magnitude: 8,
      slopeTolerance: 1e-4,
    });
  }
});

deviceTest("tokenLogLikelihood is minus the cross-entropy with that token, to the bit; of great logits; of rows in windows", async (device) => {
  const [rows, width] = [131, 67];
  const next = wholes([rows], 3, width);
  const hot = new Float32Array(rows * width);
  next.data.forEach((token, r) => (hot[r * width + token] = 1));
  const inputs = { x: numbers([rows, width], 1, -1000, 1000), next, hot: { shape: [rows, width], data: hot }, share: numbers([rows], 4) };
  const both = (t: Tensors): Tensors => {
    const [own, dense] = [tokenLogLikelihood(t.x, t.next), crossEntropy(t.x, t.hot)];
    return {
      own,
      dense: scale(dense, -1),
      slope: gradient(sum(mul(own, t.share)), [t.x])[0],
      denseSlope: gradient(sum(mul(scale(dense, -1), t.share)), [t.x])[0],
    };
  };
  const whole = await evaluate(device, inputs, both);
  sameBits(whole.own, whole.dense, "values");
  assert.ok(largestDifference(whole.slope, whole.denseSlope) < 1e-7);
  const small = { ...device, limits: { ...device.limits, maxStorageBufferBindingSize: 4 * 64 * width } };
  const parts = await evaluate(small, { x: inputs.x, next, share: inputs.share }, (t) => {
    const own = tokenLogLikelihood(t.x, t.next);
    return { own, slope: gradient(sum(mul(own, t.share)), [t.x])[0] };
  });
  sameBits(parts.own, whole.own, "values in windows");
  sameBits(parts.slope, whole.slope, "gradient in windows");
});

deviceTest("a tied embedding: one table that is read by rows and multiplied with, larger than a binding, and logits that are, too", async (device) => {
  for (const [vocabulary, width, tokens, elements] of [
    [7, 5, 13, 2 ** 20],
    [130, 70, 100, 64 * 130],
  ] as const) {
    const [ids, next] = [wholes([tokens], 3, vocabulary), wholes([tokens], 4, vocabulary)];
    const bounded = { ...device, limits: { ...device.limits, maxStorageBufferBindingSize: 4 * elements } };
    await checkOp(bounded, `tied ${vocabulary} ${width} ${tokens}`, {
      inputs: { table: numbers([vocabulary, width], 1), gain: numbers([tokens, width], 2), ids, next },
      op: ({ table, gain, ids: i, next: n }) => tokenLogLikelihood(matmul(mul(gather(table, i), gain), table, { tb: true }), n),
      reference: ({ table, gain }) =>
        Float64Array.from(range(tokens), (t) => {
          const x = range(width).map((c) => table[ids.data[t] * width + c] * gain[t * width + c]);
          const logits = range(vocabulary).map((v) => total(x.map((a, c) => a * table[v * width + c])));
          return logits[next.data[t]] - Math.log(total(logits.map(Math.exp)));
        }),
      tolerance: 1e-5,
      slopeTolerance: 2e-4,
    });
  }
});

deviceTest("products of which every matrix is larger than a binding", async (device) => {
  const elements = 64 * 140;
  const bounded = { ...device, limits: { ...device.limits, maxStorageBufferBindingSize: 4 * elements } };
  const [m, n, k] = [132, 136, 140];
  for (const [ta, tb] of [
    [false, false],
    [true, true],
  ] as const) {
    const inputs = { a: numbers(ta ? [k, m] : [m, k], 1), b: numbers(tb ? [n, k] : [k, n], 2) };
    const { y } = await evaluate(bounded, inputs, ({ a, b }) => ({ y: matmul(a, b, { ta, tb }) }));
    const at = (x: Numbers, turned: boolean, i: number, j: number, rows: number, columns: number): number => x[turned ? j * rows + i : i * columns + j];
    const want = range(m * n).map((c) => {
      const [i, j] = [Math.floor(c / n), c % n];
      return total(range(k).map((l) => at(inputs.a.data, ta, i, l, m, k) * at(inputs.b.data, tb, l, j, k, n)));
    });
    assert.ok(largestDifference(y, want) < 3e-5, `${ta} ${tb}`);
  }
});

deviceTest("a token at a time, behind keys and values that are kept, gives the bits of all at once", async (device) => {
  const [batch, tokens, capacity, heads, keyHeads, d] = [2, 7, 11, 6, 2, 8];
  const starts = whole(0, 3);
  const [q, k, v] = [numbers([batch, tokens, heads * d], 1), numbers([batch, capacity, keyHeads * d], 2), numbers([batch, capacity, keyHeads * d], 3)];
  /** What tokens see that stand behind `at` others; keys and values lie in their places, and behind them whatever was there before. */
  const attended = (t: Tensors, queries: Tensor, keys: Tensor, values: Tensor, at?: Tensor): Tensor => {
    const where = { starts: t.starts, ...(at && { at }) };
    const scores = attentionScores(rotary(queries, heads, { theta: 1e4, ...where }), keys, heads, d ** -0.5, keyHeads);
    return attentionValues(softmax(scores, { causal: true, ...where }), values, heads, keyHeads);
  };
  const inputs = { q, k, v, starts, ...Object.fromEntries(range(tokens).map((i) => [`at ${i}`, whole(i)])) };
  for (const kind of ["cpu", "gpu"] as const) {
    const got = await evaluate(withKernelsOf(kind, device), inputs, (t) => {
      const turned = rotary(t.k, keyHeads, { theta: 1e4, starts: t.starts });
      const first = (x: Tensor): Tensor => slice(x, 1, 0, tokens);
      const all = attended(t, t.q, first(turned), first(t.v));
      const one = (i: number): Tensor => attended(t, slice(t.q, 1, i, 1), turned, t.v, t[`at ${i}`]);
      return Object.fromEntries(
        range(tokens).flatMap(
          (i) =>
            [
              [`all ${i}`, slice(all, 1, i, 1)],
              [`one ${i}`, one(i)],
            ] as const,
        ),
      );
    });
    for (const i of range(tokens)) sameBits(got[`one ${i}`], got[`all ${i}`], `token ${i} (${kind})`);
  }
});

test("shapes that do not fit are failures that say so", () => {
  const wrong = (inputs: Readonly<Record<string, Value>>, f: (t: Tensors) => Tensor, words: readonly string[]): void => {
    const failure = failureOf(trace({ inputs: specsOf(inputs) }, ({ inputs: t }) => E.right({ outputs: { y: f(t) } })));
    assert.is(failure._tag, "ShapeMismatch");
    for (const word of words) assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`);
  };
  const [x, q, k, i] = [numbers([3, 5], 1), numbers([2, 3, 12], 1), numbers([2, 5, 6], 2), whole(1, 2, 3)];
  wrong({ x, q }, (t) => rmsNorm(t.x, t.q, 1e-5), ["rmsNorm", "[2, 3, 12]"]);
  wrong({ q }, (t) => rotary(t.q, 4, { theta: 1e4 }), ["rotary", "4 heads"]);
  wrong({ q }, (t) => rotary(t.q, 3, { theta: NaN }), ["rotary", "theta is NaN"]);
  wrong({ q, i }, (t) => rotary(t.q, 3, { theta: 1e4, starts: t.i }), ["rotary", "starts", "2 rows"]);
  wrong({ q, i }, (t) => rotary(t.q, 3, { theta: 1e4, at: t.i }), ["rotary", "at u32[3]"]);
  wrong({ q, i }, (t) => softmax(t.q, { causal: true, starts: t.i }), ["softmax", "starts"]);
  wrong({ q, i: whole(1) }, (t) => softmax(t.q, { at: t.i }), ["softmax", "causal"]);
  wrong({ q, k }, (t) => attentionScores(t.q, t.k, 6, 1, 4), ["attentionScores", "4 heads of keys for 6"]);
  wrong({ q, k }, (t) => attentionScores(t.q, t.k, 6, 1, 2), ["matmul", "[2, 5, 6]"]);
  wrong({ x, q }, (t) => swiglu(t.q, t.x), ["swiglu", "[3, 5]"]);
  wrong({ x, k: numbers([2], 1) }, (t) => tokenLogLikelihood(t.x, t.k), ["tokenLogLikelihood", "f32[2]"]);
});

runTests();
