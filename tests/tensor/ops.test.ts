/** Every operation of src/tensor/ops against a float64 reference, and its gradient against a directional derivative. */
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { describe } from "../../src/failure.ts";
import * as E from "fp-ts/lib/Either.js";
import { gradient, partials } from "../../src/tensor/gradient.ts";
import { crossEntropy } from "../../src/tensor/ops/crossEntropy.ts";
import { dropoutMask } from "../../src/kernels/dropout.ts";
import { dropout } from "../../src/tensor/ops/dropout.ts";
import {
  abs,
  add,
  affine,
  atLeast,
  constant,
  div,
  exp,
  gelu,
  log,
  max,
  mul,
  quickGelu,
  scale,
  sigmoid,
  silu,
  sqrt,
  square,
  sub,
} from "../../src/tensor/ops/elementwise.ts";
import { gather, patchify, scatterAdd } from "../../src/tensor/ops/embedding.ts";
import { layerNorm } from "../../src/tensor/ops/layerNorm.ts";
import { accumulate, attentionScores, attentionValues, linear, matmul } from "../../src/tensor/ops/matmul.ts";
import { normalize } from "../../src/tensor/ops/normalize.ts";
import { adamwUpdate, sgdUpdate, shrink } from "../../src/tensor/ops/optimizer.ts";
import { projectOut } from "../../src/tensor/ops/projection.ts";
import { expand, mean, sum, sumRows, sumTo } from "../../src/tensor/ops/reduce.ts";
import { topMask } from "../../src/tensor/ops/select.ts";
import { softmax } from "../../src/tensor/ops/softmax.ts";
import { copy, pad, slice } from "../../src/tensor/ops/window.ts";
import { trace, type Results } from "../../src/tensor/program.ts";
import { detach, floats, reshape, size, view, type Shape, type Tensor } from "../../src/tensor/tensor.ts";
import {
  checkOp,
  deviceTest,
  evaluate,
  failureOf,
  largestDifference,
  numbers,
  orThrow,
  readAll,
  runTests,
  sameBits,
  specsOf,
  traced,
  using,
  wholes,
  type Value,
} from "./check.ts";

type Numbers = ArrayLike<number>;

const range = (n: number): readonly number[] => [...Array(n).keys()];
const map = (x: Numbers, f: (v: number, i: number) => number): Float64Array => Float64Array.from(x, f);
const total = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0);
const rowsOf = (x: Numbers, width: number): readonly (readonly number[])[] =>
  range(width === 0 ? 0 : x.length / width).map((r) => range(width).map((c) => x[r * width + c]));
const flatMapRows = (x: Numbers, width: number, f: (row: readonly number[], r: number) => readonly number[]): Float64Array =>
  Float64Array.from(rowsOf(x, width).flatMap(f));

// Matrix products ------------------------------------------------------------------------------------------------------------------------

/** C[i, j] = Σ A(i, l) B(l, j). */
const product = (m: number, n: number, k: number, a: (i: number, l: number) => number, b: (l: number, j: number) => number): Float64Array => {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i += 1) for (let j = 0; j < n; j += 1) for (let l = 0; l < k; l += 1) c[i * n + j] += a(i, l) * b(l, j);
  return c;
};

/** [m, n, k]: one, primes, one off a tile of 8 and of 64, thin and long. */
const products = [
  [1, 1, 1],
  [1, 7, 3],
  [5, 1, 13],
  [9, 63, 65],
  [65, 9, 7],
  [64, 64, 64],
  [17, 130, 1],
  [129, 3, 33],
  [2, 5, 257],
] as const;

for (const [ta, tb] of [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
] as const) {
  deviceTest(`matmul ${ta ? "T" : "N"}${tb ? "T" : "N"}`, async (device) => {
    for (const [m, n, k] of products) {
      await checkOp(device, `matmul ${ta} ${tb} ${m} ${n} ${k}`, {
        inputs: { a: numbers(ta ? [k, m] : [m, k], 1), b: numbers(tb ? [n, k] : [k, n], 2) },
        op: ({ a, b }) => matmul(a, b, { ta, tb, scale: 0.7 }),
        reference: ({ a, b }) =>
          map(
            product(
              m,
              n,
              k,
              (i, l) => (ta ? a[l * m + i] : a[i * k + l]),
              (l, j) => (tb ? b[j * k + l] : b[l * n + j]),
            ),
            (v) => Math.fround(0.7) * v,
          ),
      });
    }
  });
}

deviceTest("matmul: leading dimensions are rows", (device) =>
  checkOp(device, "leading", {
    inputs: { a: numbers([3, 5, 7], 1), b: numbers([11, 7], 2) },
    op: ({ a, b }) => {
      const y = matmul(a, b, { tb: true });
      assert.equal(y.shape, [3, 5, 11]);
      return y;
    },
    reference: ({ a, b }) =>
      product(
        15,
        11,
        7,
        (i, l) => a[i * 7 + l],
        (l, j) => b[j * 7 + l],
      ),
  }),
);

deviceTest("linear: bias and low-rank pair, each alone and together", async (device) => {
  for (const [m, n, k, r] of [
    [1, 1, 1, 1],
    [5, 9, 7, 3],
    [65, 63, 17, 16],
    [7, 130, 65, 1],
  ] as const) {
    for (const [withBias, withPair] of [
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      await checkOp(device, `linear ${m} ${n} ${k} ${r} ${withBias} ${withPair}`, {
        inputs: {
          x: numbers([m, k], 1),
          w: numbers([n, k], 2),
          ...(withBias ? { bias: numbers([n], 3) } : {}),
          ...(withPair ? { p: numbers([m, r], 4), q: numbers([n, r], 5) } : {}),
        },
        op: ({ x, w, bias, p, q }) => linear(x, w, withBias ? bias : undefined, withPair ? { p, q } : undefined),
        reference: ({ x, w, bias, p, q }) => {
          const base = product(
            m,
            n,
            k,
            (i, l) => x[i * k + l],
            (l, j) => w[j * k + l],
          );
          const low = withPair
            ? product(
                m,
                n,
                r,
                (i, l) => p[i * r + l],
                (l, j) => q[j * r + l],
              )
            : undefined;
          return map(base, (v, at) => v + (low?.[at] ?? 0) + (withBias ? bias[at % n] : 0));
        },
      });
    }
  }
});

deviceTest("gated low-rank adaptation of a layer whose weight is frozen: the gradient of x has both paths", async (device) => {
  for (const [m, n, k, r] of [
    [3, 5, 7, 2],
    [33, 65, 9, 8],
    [5, 9, 13, 65],
  ] as const) {
    await checkOp(device, `gated ${m} ${n} ${k} ${r}`, {
      inputs: { x: numbers([m, k], 1), w: numbers([n, k], 2), a: numbers([r, k], 3), b: numbers([n, r], 4), g: numbers([r], 5) },
      wrt: ["x", "a", "b", "g"],
      op: ({ x, w, a, b, g }) => linear(x, w, undefined, { p: mul(matmul(x, a, { tb: true }), g), q: b }),
      reference: ({ x, w, a, b, g }) => {
        const h = product(
          m,
          r,
          k,
          (i, l) => x[i * k + l],
          (l, j) => a[j * k + l],
        );
        const low = product(
          m,
          n,
          r,
          (i, l) => h[i * r + l] * g[l],
          (l, j) => b[j * r + l],
        );
        return map(
          product(
            m,
            n,
            k,
            (i, l) => x[i * k + l],
            (l, j) => w[j * k + l],
          ),
          (v, at) => v + low[at],
        );
      },
    });
  }
});

deviceTest("accumulate: a thin product becomes the wide one's epilogue, and nothing else does", async (device) => {
  const inputs = { a: numbers([9, 70], 1), b: numbers([70, 11], 2), p: numbers([9, 3], 3), q: numbers([3, 11], 4), qt: numbers([11, 3], 5) };
  const names: string[] = [];
  const note = (t: Tensor): Tensor => {
    names.push(t.node.kind === "apply" ? t.node.op.name : t.node.kind);
    return t;
  };
  const got = await evaluate(device, inputs, ({ a, b, p, q, qt }) => ({
    folded: note(accumulate(matmul(a, b), matmul(p, q))),
    turned: note(accumulate(matmul(p, q), matmul(a, b))),
    mixed: note(accumulate(matmul(a, b), matmul(p, qt, { tb: true }))),
    scaled: note(accumulate(matmul(a, b), matmul(p, q, { scale: 2 }))),
  }));
  assert.equal(names, ["matmul", "matmul", "add", "add"]);
  const [a, b, p, q, qt] = Object.values(inputs).map(({ data }) => data);
  const [wide, thin, other] = [
    product(
      9,
      11,
      70,
      (i, l) => a[i * 70 + l],
      (l, j) => b[l * 11 + j],
    ),
    product(
      9,
      11,
      3,
      (i, l) => p[i * 3 + l],
      (l, j) => q[l * 11 + j],
    ),
    product(
      9,
      11,
      3,
      (i, l) => p[i * 3 + l],
      (l, j) => qt[j * 3 + l],
    ),
  ];
  for (const [name, want] of [
    ["folded", map(wide, (v, i) => v + thin[i])],
    ["turned", map(wide, (v, i) => v + thin[i])],
    ["mixed", map(wide, (v, i) => v + other[i])],
    ["scaled", map(wide, (v, i) => v + 2 * thin[i])],
  ] as const) {
    assert.ok(largestDifference(got[name], want) < 2e-5, name);
  }
});

deviceTest("attention: scores and values, heads read from the projections with strides", async (device) => {
  for (const [batch, queries, keys, heads, width] of [
    [1, 1, 1, 1, 1],
    [2, 3, 5, 2, 7],
    [3, 9, 9, 3, 4],
    [1, 65, 13, 2, 9],
    [2, 17, 17, 1, 64],
  ] as const) {
    const inputs = {
      q: numbers([batch, queries, heads * width], 1),
      k: numbers([batch, keys, heads * width], 2),
      p: numbers([batch, heads, queries, keys], 3),
    };
    const at = (b: number, t: number, h: number, c: number, tokens: number): number => ((b * tokens + t) * heads + h) * width + c;
    await checkOp(device, `scores ${batch} ${queries} ${keys} ${heads} ${width}`, {
      inputs: { q: inputs.q, k: inputs.k },
      op: ({ q, k }) => attentionScores(q, k, heads, 0.5),
      reference: ({ q, k }) =>
        Float64Array.from(
          range(batch).flatMap((b) =>
            range(heads).flatMap((h) =>
              range(queries).flatMap((i) => range(keys).map((j) => 0.5 * total(range(width).map((c) => q[at(b, i, h, c, queries)] * k[at(b, j, h, c, keys)])))),
            ),
          ),
        ),
    });
    await checkOp(device, `values ${batch} ${queries} ${keys} ${heads} ${width}`, {
      inputs: { p: inputs.p, v: inputs.k },
      op: ({ p, v }) => attentionValues(p, v, heads),
      reference: ({ p, v }) =>
        Float64Array.from(
          range(batch).flatMap((b) =>
            range(queries).flatMap((i) =>
              range(heads).flatMap((h) =>
                range(width).map((c) => total(range(keys).map((j) => p[((b * heads + h) * queries + i) * keys + j] * v[at(b, j, h, c, keys)]))),
              ),
            ),
          ),
        ),
    });
  }
});

// Element by element ---------------------------------------------------------------------------------------------------------------------

/** Counts that hurt. */
const counts: readonly Shape[] = [[], [1], [63], [65], [7, 13], [3, 1, 5], [129, 9]];

/** Abramowitz and Stegun 7.1.26 would be too coarse: erf by its series, and its continued fraction where that is slow. */
const erf = (x: number): number => {
  if (Math.abs(x) > 6) return Math.sign(x);
  let [term, s] = [x, x];
  for (let n = 1; n < 200; n += 1) {
    term *= (-x * x) / n;
    s += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * s;
};

const unaries: readonly (readonly [string, (x: Tensor) => Tensor, (v: number) => number, readonly [number, number]])[] = [
  ["exp", exp, Math.exp, [-4, 3]],
  ["log", log, Math.log, [0.1, 5]],
  ["sqrt", sqrt, Math.sqrt, [0.1, 5]],
  ["square", square, (v) => v * v, [-3, 3]],
  ["abs", abs, Math.abs, [-3, 3]],
  ["sigmoid", sigmoid, (v) => 1 / (1 + Math.exp(-v)), [-9, 9]],
  ["quickGelu", quickGelu, (v) => v / (1 + Math.exp(-1.702 * v)), [-6, 6]],
  ["silu", silu, (v) => v / (1 + Math.exp(-v)), [-9, 9]],
  ["gelu", gelu, (v) => 0.5 * v * (1 + erf(v / Math.SQRT2)), [-6, 6]],
  ["affine", (x) => affine(x, -1.5, 0.25), (v) => -1.5 * v + 0.25, [-3, 3]],
  ["scale", (x) => scale(x, 3), (v) => 3 * v, [-3, 3]],
  ["scale by one", (x) => scale(x, 1), (v) => v, [-3, 3]],
];

for (const [name, op, f, [low, high]] of unaries) {
  deviceTest(name, async (device) => {
    for (const shape of counts) {
      await checkOp(device, `${name} [${shape}]`, {
        inputs: { x: numbers(shape, 1, low, high) },
        op: ({ x }) => op(x),
        reference: ({ x }) => map(x, f),
        tolerance: 4e-6,
        slopeTolerance: 5e-5,
      });
    }
  });
}

/** [a, b]: b's dimensions that are not one are a run of a's, with one gap at most. */
const broadcasts: readonly (readonly [Shape, Shape])[] = [
  [[], []],
  [[1], [1]],
  [
    [7, 5],
    [7, 5],
  ],
  [[7, 5], [5]],
  [[7, 5], []],
  [[7, 5], [1]],
  [
    [7, 5],
    [7, 1],
  ],
  [
    [3, 5, 7],
    [5, 7],
  ],
  [
    [3, 5, 7],
    [5, 1],
  ],
  [
    [3, 5, 7],
    [3, 1, 1],
  ],
  [
    [3, 5, 7],
    [1, 5, 1],
  ],
  [
    [3, 1, 7],
    [3, 1, 7],
  ],
  [
    [2, 3, 5, 7],
    [3, 5, 1],
  ],
  [[300, 3], [3]],
  [
    [130, 1, 2],
    [130, 1, 1],
  ],
  [
    [257, 5, 3],
    [5, 1],
  ],
  [
    [65, 63],
    [65, 1],
  ],
  [
    [1, 4],
    [1, 4],
  ],
  [[13, 129], []],
  // With a gap: a row of b for all rows of a of one sample.
  [
    [3, 5, 7],
    [3, 1, 7],
  ],
  [
    [2, 3, 5, 7],
    [2, 1, 1, 7],
  ],
  [
    [2, 3, 5, 1, 7, 2],
    [3, 1, 1, 7, 1],
  ],
  [
    [140, 3, 2, 5],
    [3, 1, 5],
  ],
  [
    [130, 66, 2],
    [130, 1, 2],
  ],
];

const binaries: readonly (readonly [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number])[] = [
  ["add", add, (a, b) => a + b],
  ["sub", sub, (a, b) => a - b],
  ["mul", mul, (a, b) => a * b],
  ["div", div, (a, b) => a / b],
  ["max", max, Math.max],
];

const meets = (shape: Shape, other: Shape): ((i: number) => number) => {
  const padded = [...shape.slice(other.length).map(() => 1), ...other];
  return (i) => {
    let [rest, at, stride] = [i, 0, 1];
    for (let d = shape.length - 1; d >= 0; d -= 1) {
      const index = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
      at += (padded[d] === 1 ? 0 : index) * stride;
      stride *= padded[d];
    }
    return at;
  };
};

for (const [name, op, f] of binaries) {
  deviceTest(`${name}, in every broadcast`, async (device) => {
    for (const [shape, other] of broadcasts) {
      const at = meets(shape, other);
      await checkOp(device, `${name} [${shape}] [${other}]`, {
        inputs: { a: numbers(shape, 1, -2, 2), b: numbers(other, 2, 0.5, 2) },
        op: ({ a, b }) => op(a, b),
        reference: ({ a, b }) => map(a, (v, i) => f(v, b[at(i)])),
      });
    }
  });
}

deviceTest("one tensor as both operands", (device) =>
  checkOp(device, "x * x / (x + x)", {
    inputs: { x: numbers([7, 9], 1, 1, 2) },
    op: ({ x }) => div(mul(x, x), add(x, x)),
    reference: ({ x }) => map(x, (v) => v / 2),
  }),
);

deviceTest("constants", async (device) => {
  const got = await evaluate(device, { x: numbers([1], 1) }, () => ({ many: constant(-2.5, [65, 3]), one: constant(7, []), none: constant(1, [0]) }));
  assert.equal([...new Set(got.many)], [-2.5]);
  assert.is(got.many.length, 195);
  assert.equal([...got.one], [7]);
  assert.is(got.none.length, 0);
});

const seedOf = (seed: readonly [number, number]): Value => ({ shape: [2], data: Float32Array.from(seed) });

deviceTest("dropout: the mask of the host, to the bit, and its gradient", async (device) => {
  for (const [shape, p, seed, site] of [
    [[1], 0.5, [0, 0], 0],
    [[7, 13], 0.2, [1, 2], 3],
    [[129, 9], 0.75, [2 ** 24 - 1, 2 ** 24 - 2], 2 ** 32 - 1],
    [[300, 70], 0.05, [8, 123456], 41],
  ] as const) {
    const inputs = { x: numbers(shape, 1), seed: seedOf(seed) };
    const mask = dropoutMask(size(shape), p, seed, site);
    const got = await evaluate(device, inputs, ({ x, seed: s }) => ({ y: dropout(x, p, s, site) }));
    const factor = Math.fround(1 / (1 - p));
    sameBits(
      got.y,
      Float32Array.from(mask, (keep, i) => (keep === 1 ? Math.fround(factor * inputs.x.data[i]) : 0)),
      `dropout [${shape}]`,
    );
    await checkOp(device, `dropout [${shape}]`, {
      inputs,
      wrt: ["x"],
      op: ({ x, seed: s }) => dropout(x, p, s, site),
      reference: ({ x }) => map(x, (v, i) => v * factor * mask[i]),
    });
  }
});

test("dropout by zero is the tensor itself", () => {
  const [x, seed] = [constant(1, [3]), constant(0, [2])];
  assert.is(dropout(x, 0, seed, 1), x);
});

test("dropout masks: the rate, and independence of seeds, sites and elements", () => {
  const count = 50_000;
  const rate = (mask: Float32Array): number => mask.reduce((n, keep) => n + keep, 0) / count;
  /** How far shares of this many draws stray: five standard deviations. */
  const allowed = (share: number): number => 5 * Math.sqrt((share * (1 - share)) / count);
  const seeds = [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
    [2 ** 24 - 1, 7],
  ] as const;
  for (const p of [0.05, 0.5, 0.9]) {
    const masks = seeds.flatMap((seed) => [0, 1, 2, 1000].map((site) => dropoutMask(count, p, seed, site)));
    for (const mask of masks) assert.ok(Math.abs(rate(mask) - (1 - p)) < allowed(p), `p = ${p}: keeps ${rate(mask)}`);
    const both = (1 - p) ** 2;
    const together = (a: Float32Array, b: Float32Array): void => {
      const share = rate(a.map((keep, i) => keep * b[i]));
      assert.ok(Math.abs(share - both) < allowed(both), `p = ${p}: two masks keep ${share} together`);
    };
    masks.forEach((a, i) => masks.slice(i + 1).forEach((b) => together(a, b)));
    // Neighbours in a row and in a column of one mask.
    for (const by of [1, 2, 64, 768])
      together(
        masks[0],
        Float32Array.from(masks[0], (_, i) => masks[0][(i + by) % count]),
      );
  }
});

// Reductions ------------------------------------------------------------------------------------------------------------------------------

/** [outer, mod, div]; beyond 128 outer there are two passes. */
const patterns = [
  [1, 1, 1],
  [1, 7, 1],
  [5, 1, 3],
  [3, 5, 7],
  [128, 3, 2],
  [129, 3, 2],
  [257, 1, 1],
  [1000, 65, 1],
  [130, 2, 65],
  [2, 65, 130],
] as const;

deviceTest("sumTo and expand", async (device) => {
  for (const [outer, mod, div] of patterns) {
    const pattern = { outer, mod, div };
    await checkOp(device, `sumTo ${outer} ${mod} ${div}`, {
      inputs: { x: numbers([outer, mod, div], 1) },
      op: ({ x }) => sumTo(x, pattern, [mod], 0.5),
      reference: ({ x }) =>
        Float64Array.from(range(mod).map((j) => 0.5 * total(range(outer).flatMap((o) => range(div).map((k) => x[(o * mod + j) * div + k]))))),
    });
    const gap = { count: 3, low: mod };
    await checkOp(device, `sumTo ${outer} ${mod} ${div} over a gap`, {
      inputs: { x: numbers([2, outer, 3, mod * div], 1) },
      op: ({ x }) => sumTo(x, { outer: 2, mod: outer * mod, div, gap }, [outer, mod], 0.5),
      reference: ({ x }) =>
        map(new Float64Array(outer * mod), (_, i) => {
          const [o, j] = [Math.floor(i / mod), i % mod];
          return 0.5 * total(range(6).flatMap((k) => range(div).map((d) => x[(((Math.floor(k / 3) * outer + o) * 3 + (k % 3)) * mod + j) * div + d])));
        }),
    });
    await checkOp(device, `expand ${outer} ${mod} ${div}`, {
      inputs: { x: numbers([mod], 1) },
      op: ({ x }) => expand(x, pattern, [outer, mod, div], 0.5),
      reference: ({ x }) => Float64Array.from({ length: outer * mod * div }, (_, i) => 0.5 * x[Math.floor(i / div) % mod]),
    });
  }
});

deviceTest("sum, mean and sumRows", async (device) => {
  for (const shape of [[], [1], [65], [7, 13], [129, 3], [1000, 9], [2, 3, 5]] as const) {
    const x = numbers(shape, 1);
    const width = shape[shape.length - 1] ?? 1;
    await checkOp(device, `sum [${shape}]`, { inputs: { x }, op: ({ x: t }) => sum(t, 3), reference: ({ x: v }) => [3 * total([...v])] });
    await checkOp(device, `mean [${shape}]`, { inputs: { x }, op: ({ x: t }) => mean(t), reference: ({ x: v }) => [total([...v]) / v.length] });
    if (shape.length > 0) {
      await checkOp(device, `sumRows [${shape}]`, {
        inputs: { x },
        op: ({ x: t }) => sumRows(t),
        reference: ({ x: v }) => Float64Array.from(range(width).map((c) => total(rowsOf(v, width).map((r) => r[c])))),
      });
    }
  }
});

deviceTest("a sum of so many rows that their partial sums would not fit one dimension of a grid", async (device) => {
  // 64 rows a partial sum would make more workgroups than one dimension holds.
  const count = 65535 * 64 + 77;
  const data = new Float32Array(count).fill(0.5);
  data[count - 1] = 8;
  const got = await evaluate(device, { x: { shape: [count], data } }, ({ x }) => ({ total: sumTo(x, { outer: count, mod: 1, div: 1 }, []) }));
  assert.is(got.total[0], Math.fround(0.5 * (count - 1) + 8));
});

deviceTest("a sum over a gap of more groups than one dimension of a grid holds", async (device) => {
  const groups = 65536 + 7;
  const inputs = { c: numbers([groups, 3, 2], 1), b: numbers([groups, 1, 2], 2) };
  const got = await evaluate(device, inputs, ({ c, b }) => ({ db: gradient(sum(mul(c, b)), [b])[0] }));
  const { data } = inputs.c;
  const want = map(new Float64Array(2 * groups), (_, i) => total(range(3).map((k) => data[6 * Math.floor(i / 2) + 2 * k + (i % 2)])));
  assert.ok(largestDifference(got.db, want) < 1e-6);
});

// Rows -------------------------------------------------------------------------------------------------------------------------------------

const matrices = [
  [1, 1],
  [1, 2],
  [3, 13],
  [7, 63],
  [65, 65],
  [129, 5],
  [2, 1009],
] as const;

deviceTest("layerNorm", async (device) => {
  for (const [rows, width] of [[1, 2], ...matrices.slice(2), [130, 3], [300, 7]] as const) {
    // Widths of two are all but constant: a wider spread keeps them well conditioned.
    await checkOp(device, `layerNorm ${rows} ${width}`, {
      inputs: { x: numbers([rows, width], 1, -20, 20), gain: numbers([width], 2, 0.5, 2), bias: numbers([width], 3) },
      op: ({ x, gain, bias }) => layerNorm(x, gain, bias, 1e-5),
      reference: ({ x, gain, bias }) =>
        flatMapRows(x, width, (row) => {
          const m = total(row) / width;
          const s = Math.sqrt(total(row.map((v) => (v - m) ** 2)) / width + 1e-5);
          return row.map((v, c) => ((v - m) / s) * gain[c] + bias[c]);
        }),
      tolerance: 1e-5,
      slopeTolerance: 2e-3,
    });
  }
});

deviceTest("softmax", async (device) => {
  for (const [rows, width] of matrices) {
    await checkOp(device, `softmax ${rows} ${width}`, {
      inputs: { x: numbers([rows, width], 1, -5, 5) },
      op: ({ x }) => softmax(x),
      reference: ({ x }) =>
        flatMapRows(x, width, (row) => {
          const e = row.map((v) => Math.exp(v - Math.max(...row)));
          return e.map((v) => v / total(e));
        }),
      slopeTolerance: 1e-4,
    });
  }
});

deviceTest("softmax with the causal mask", async (device) => {
  for (const [blocks, tokens] of [
    [1, 1],
    [3, 2],
    [2, 7],
    [5, 13],
    [2, 65],
  ] as const) {
    await checkOp(device, `causal ${blocks} ${tokens}`, {
      inputs: { x: numbers([blocks, tokens, tokens], 1, -5, 5) },
      op: ({ x }) => softmax(x, { causal: true }),
      reference: ({ x }) =>
        flatMapRows(x, tokens, (row, r) => {
          const seen = row.slice(0, (r % tokens) + 1);
          const e = seen.map((v) => Math.exp(v - Math.max(...seen)));
          return row.map((_, j) => (j < seen.length ? e[j] / total(e) : 0));
        }),
      slopeTolerance: 1e-4,
    });
  }
});

deviceTest("softmax of numbers that overflow an exponential", async (device) => {
  const got = await evaluate(device, { x: { shape: [2, 3], data: Float32Array.of(1000, 1000, -1000, -500, -501, -1e30) } }, ({ x }) => ({
    p: softmax(x),
  }));
  const e = Math.exp(-1);
  assert.ok(largestDifference(got.p, [0.5, 0.5, 0, 1 / (1 + e), e / (1 + e), 0]) < 1e-6);
});

deviceTest("atLeast: 1 from the least on, and constant to a gradient", async (device) => {
  const x = { shape: [2, 4], data: Float32Array.of(0.2, Math.fround(0.2) - 1e-7, -1, 0, 5, 0.2000001, -0, Infinity) };
  const got = await evaluate(device, { x }, ({ x: t }) => {
    assert.equal(partials(sum(atLeast(t, 0.2)), [t]), [undefined]);
    return { some: atLeast(t, 0.2), fromZero: atLeast(t, 0) };
  });
  assert.equal([...got.some], [1, 0, 0, 0, 1, 1, 0, 1]);
  assert.equal([...got.fromZero], [1, 1, 0, 1, 1, 1, 1, 1]);
});

deviceTest("topMask: constant to a gradient, by rows, ties to the lowest index", async (device) => {
  const x = { shape: [2, 2, 4], data: Float32Array.of(3, 1, 3, 3, -1, -2, -3, -1, 0, 0, 0, 0, 1, 2, 4, 3) };
  const mask = [1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1];
  await checkOp(device, "topMask", {
    inputs: { x },
    op: ({ x: t }) => mul(square(t), topMask(t, 2)),
    reference: ({ x: v }) => map(v, (a, i) => a * a * mask[i]),
  });
  const got = await evaluate(device, { x }, ({ x: t }) => {
    assert.equal(partials(sum(topMask(t, 1)), [t]), [undefined]);
    return { none: topMask(t, 0), two: topMask(t, 2), all: topMask(t, 9) };
  });
  assert.equal(
    [...got.none],
    mask.map(() => 0),
  );
  assert.equal([...got.two], mask);
  assert.equal(
    [...got.all],
    mask.map(() => 1),
  );
});

deviceTest("normalize", async (device) => {
  for (const [rows, width] of matrices) {
    await checkOp(device, `normalize ${rows} ${width}`, {
      inputs: { x: numbers([rows, width], 1, 0.1, 1) },
      op: ({ x }) => normalize(x),
      reference: ({ x }) => flatMapRows(x, width, (row) => row.map((v) => v / Math.hypot(...row))),
      slopeTolerance: width === 1 ? 1 : 1e-4,
    });
  }
  const zero = await evaluate(device, { x: { shape: [2, 3], data: Float32Array.of(0, 0, 0, 3, 0, 4) } }, ({ x }) => ({ y: normalize(x) }));
  assert.ok(largestDifference(zero.y, [0, 0, 0, 0.6, 0, 0.8]) < 1e-6);
});

deviceTest("crossEntropy with one-hot, soft, multi-hot and zero rows of targets", async (device) => {
  for (const [rows, width] of [[1, 1], ...matrices.slice(1)] as const) {
    const target = new Float32Array(rows * width);
    const draw = numbers([rows, width], 9, 0, 1).data;
    range(rows).forEach((r) => {
      const kind = r % 4;
      range(width).forEach((c) => {
        target[r * width + c] =
          kind === 0 ? (c === r % width ? 1 : 0) : kind === 1 ? draw[r * width + c] / width : kind === 2 ? (draw[r * width + c] > 0.6 ? 1 : 0) : 0;
      });
    });
    const loss = (logits: readonly number[], t: readonly number[]): number => {
      const most = Math.max(...logits);
      const lse = most + Math.log(total(logits.map((v) => Math.exp(v - most))));
      return -total(logits.map((v, c) => t[c] * (v - lse)));
    };
    await checkOp(device, `crossEntropy ${rows} ${width}`, {
      inputs: { x: numbers([rows, width], 1, -8, 8), t: { shape: [rows, width], data: target } },
      wrt: ["x"],
      op: ({ x, t }) => crossEntropy(x, t),
      reference: ({ x, t }) => {
        const targets = rowsOf(t, width);
        return flatMapRows(x, width, (row, r) => [loss(row, targets[r])]);
      },
      tolerance: 4e-6,
      magnitude: 8,
      slopeTolerance: 1e-4,
    });
  }
});

// Tables and windows ----------------------------------------------------------------------------------------------------------------------

deviceTest("gather, with repeated indices", async (device) => {
  for (const [rows, width, entries] of [
    [1, 1, [1]],
    [1, 5, [7]],
    [7, 3, [2, 13]],
    [65, 9, [129]],
    [5, 64, [3, 2, 2]],
  ] as const) {
    const index = wholes(entries, 3, rows);
    await checkOp(device, `gather ${rows} ${width} [${entries}]`, {
      inputs: { table: numbers([rows, width], 1), index },
      op: ({ table, index: i }) => gather(table, i),
      reference: ({ table }) => Float64Array.from([...index.data].flatMap((r) => range(width).map((c) => table[r * width + c]))),
    });
  }
});

deviceTest("scatterAdd: equal indices add up, rows without any are zero", async (device) => {
  for (const [rows, width, entries] of [
    [1, 1, 1],
    [1, 5, 7],
    [7, 3, 26],
    [65, 9, 129],
    [300, 2, 5],
  ] as const) {
    const index = wholes([entries], 3, rows);
    await checkOp(device, `scatterAdd ${rows} ${width} ${entries}`, {
      inputs: { dy: numbers([entries, width], 1), index },
      op: ({ dy, index: i }) => scatterAdd(dy, i, rows),
      reference: ({ dy }) => {
        const out = new Float64Array(rows * width);
        index.data.forEach((r, i) => range(width).forEach((c) => void (out[r * width + c] += dy[i * width + c])));
        return out;
      },
    });
  }
});

deviceTest("patchify: columns in the order of a convolution's weight", async (device) => {
  for (const [batch, channels, height, width, patch] of [
    [1, 1, 1, 1, 1],
    [2, 3, 4, 6, 2],
    [1, 2, 15, 10, 5],
    [3, 1, 7, 7, 7],
  ] as const) {
    const pixels = numbers([batch, channels, height, width], 1);
    const want = range(batch).flatMap((b) =>
      range(height / patch).flatMap((py) =>
        range(width / patch).flatMap((px) =>
          range(channels).flatMap((c) =>
            range(patch).flatMap((y) => range(patch).map((x) => pixels.data[((b * channels + c) * height + py * patch + y) * width + px * patch + x])),
          ),
        ),
      ),
    );
    await checkOp(device, `patchify ${patch}`, { inputs: { pixels }, wrt: [], op: ({ pixels: t }) => patchify(t, patch), reference: () => want });
  }
});

deviceTest("slice and pad along every axis", async (device) => {
  const [a, b, c] = [3, 5, 7];
  const index = (i: number, j: number, k: number): number => (i * b + j) * c + k;
  for (const [axis, start, length] of [
    [0, 0, 1],
    [0, 1, 2],
    [1, 2, 3],
    [1, 0, 5],
    [2, 6, 1],
    [2, 1, 4],
  ] as const) {
    const to = [a, b, c].map((d, i) => (i === axis ? length : d));
    const shift = [0, 1, 2].map((i) => (i === axis ? start : 0));
    await checkOp(device, `slice ${axis} ${start} ${length}`, {
      inputs: { x: numbers([a, b, c], 1) },
      op: ({ x }) => slice(x, axis, start, length),
      reference: ({ x }) =>
        Float64Array.from(
          range(to[0]).flatMap((i) => range(to[1]).flatMap((j) => range(to[2]).map((k) => x[index(i + shift[0], j + shift[1], k + shift[2])]))),
        ),
    });
  }
  for (const [axis, before, after] of [
    [0, 1, 0],
    [1, 0, 2],
    [2, 3, 1],
    [1, 0, 0],
  ] as const) {
    const to = [a, b, c].map((d, i) => (i === axis ? d + before + after : d));
    const shift = [0, 1, 2].map((i) => (i === axis ? before : 0));
    await checkOp(device, `pad ${axis} ${before} ${after}`, {
      inputs: { x: numbers([a, b, c], 1) },
      op: ({ x }) => pad(x, axis, before, after),
      reference: ({ x }) =>
        Float64Array.from(
          range(to[0]).flatMap((i) =>
            range(to[1]).flatMap((j) =>
              range(to[2]).map((k) => {
                const at = [i - shift[0], j - shift[1], k - shift[2]];
                return at.every((v, d) => v >= 0 && v < [a, b, c][d]) ? x[index(at[0], at[1], at[2])] : 0;
              }),
            ),
          ),
        ),
    });
  }
  await checkOp(device, "copy", { inputs: { x: numbers([7, 9], 1) }, op: ({ x }) => copy(x), reference: ({ x }) => x });
  await checkOp(device, "copy of one number", { inputs: { x: numbers([], 1) }, op: ({ x }) => copy(x), reference: ({ x }) => x });
});

deviceTest("the first token of every sample, as a matrix", (device) =>
  checkOp(device, "token 0", {
    inputs: { x: numbers([3, 5, 7], 1) },
    op: ({ x }) => reshape(slice(x, 1, 0, 1), [3, 7]),
    reference: ({ x }) => Float64Array.from(range(21), (i) => x[Math.floor(i / 7) * 35 + (i % 7)]),
  }),
);

deviceTest("reshape and view", async (device) => {
  await checkOp(device, "reshape", {
    inputs: { x: numbers([6, 4], 1) },
    op: ({ x }) => exp(reshape(x, [2, 3, 4])),
    reference: ({ x }) => map(x, Math.exp),
  });
  const x = numbers([200], 1);
  const got = await evaluate(device, { x }, ({ x: t }) => ({
    part: square(view(t, 64, [3, 11])),
    nested: square(view(view(t, 64, [2, 64]), 64, [5])),
    asItIs: view(t, 128, [7]),
  }));
  assert.ok(
    largestDifference(
      got.part,
      map(x.data.subarray(64, 97), (v) => v * v),
    ) < 1e-6,
  );
  assert.ok(
    largestDifference(
      got.nested,
      map(x.data.subarray(128, 133), (v) => v * v),
    ) < 1e-6,
  );
  assert.equal([...got.asItIs], [...x.data.subarray(128, 135)]);
});

deviceTest("detach: the same values, no gradient, no launch", async (device) => {
  const x = numbers([6, 4], 1);
  await checkOp(device, "x · detached x, reshaped", {
    inputs: { x },
    op: ({ x: t }) => mul(reshape(t, [24]), reshape(detach(t), [24])),
    // The factor that is detached stays, wherever x goes.
    reference: ({ x: v }) => map(v, (a, i) => a * x.data[i]),
  });
  const traces = traced({ inputs: specsOf({ x }) }, ({ inputs: { x: t } }) => ({ outputs: { y: detach(t) } }));
  assert.equal(
    traces.schedule.map(({ kind }) => kind),
    ["leaf", "view"],
  );
});

test("partials: undefined where no gradient flows, and only there", () => {
  traced({ inputs: { x: floats([4]), y: floats([4]), z: floats([4]), pixels: floats([1, 1, 2, 2]) } }, ({ inputs: { x, y, z, pixels } }) => {
    const held = detach(y);
    // An operation without a gradient is no failure behind a detached tensor.
    const loss = sum(add(mul(x, held), reshape(detach(patchify(pixels, 2)), [4])));
    const known = partials(loss, [x, y, held, z, pixels, loss]).map((g) => g?.shape);
    assert.equal(known, [[4], undefined, [4], undefined, undefined, []]);
    assert.equal(
      gradient(loss, [x, y]).map((g) => g.shape),
      [[4], [4]],
    );
    return {};
  });
});

// Subspaces --------------------------------------------------------------------------------------------------------------------------------

/** Orthonormal columns [d, k] by Gram and Schmidt, in f64, rounded. */
const orthonormal = (d: number, k: number): Value => {
  const raw = numbers([k, d], 4).data;
  const columns: number[][] = [];
  for (let j = 0; j < k; j += 1) {
    let v = [...raw.subarray(j * d, (j + 1) * d)];
    for (const c of [...columns, ...columns]) {
      const along = total(v.map((x, i) => x * c[i]));
      v = v.map((x, i) => x - along * c[i]);
    }
    const norm = Math.hypot(...v);
    columns.push(v.map((x) => x / norm));
  }
  return { shape: [d, k], data: Float32Array.from({ length: d * k }, (_, i) => columns[i % k][Math.floor(i / k)]) };
};

deviceTest("projectOut", async (device) => {
  for (const [d, n, k] of [
    [2, 1, 1],
    [7, 5, 3],
    [65, 9, 17],
    [9, 130, 9],
    [13, 0, 2],
    [16, 4, 8],
  ] as const) {
    const basis = orthonormal(d, k);
    const onto = (x: Numbers): Float64Array => {
      const m = basis.data;
      const c = product(
        n,
        k,
        d,
        (i, l) => x[i * d + l],
        (l, j) => m[l * k + j],
      );
      return product(
        n,
        d,
        k,
        (i, l) => c[i * k + l],
        (l, j) => m[j * k + l],
      );
    };
    const inputs = { x: numbers([n, d], 1), basis };
    const want = onto(inputs.x.data).map((v, i) => inputs.x.data[i] - v);
    const most = Math.max(...want.map(Math.abs));
    await checkOp(device, `projectOut ${d} ${n} ${k}`, {
      inputs,
      wrt: k === d ? [] : ["x"],
      op: ({ x, basis: m }) => projectOut(x, m),
      reference: ({ x }) => map(onto(x), (v, i) => x[i] - v),
      // In the whole space nothing is left but rounding.
      tolerance: k === d ? 1e-6 / most : 4e-6,
    });
  }
});

deviceTest("projectOut gives the bits of two products and a subtraction", async (device) => {
  for (const [n, d, k] of [
    [1, 1, 1],
    [16, 768, 40],
    [5, 67, 13],
    [33, 64, 64],
  ] as const) {
    const inputs = { x: numbers([n, d], 1, -3, 3), m: numbers([d, k], 2) };
    const { fused, apart } = await evaluate(device, inputs, ({ x, m }) => ({
      fused: projectOut(x, m),
      apart: sub(x, matmul(matmul(x, m), m, { tb: true })),
    }));
    sameBits(fused, apart, `[${n}, ${d}] and rank ${k}`);
  }
});

// Updates -----------------------------------------------------------------------------------------------------------------------------------

interface Optimizers {
  readonly initial: readonly number[];
  readonly gradients: readonly (readonly number[])[];
  readonly runs: readonly {
    readonly name: string;
    readonly lr: readonly number[];
    readonly beta1?: readonly number[];
    readonly parameters: readonly (readonly number[])[];
    readonly options: {
      readonly betas?: readonly [number, number];
      readonly eps?: number;
      readonly weight_decay: number;
      readonly momentum?: number;
    };
  }[];
}

const optimizers = JSON.parse(readFileSync("tests/fixtures/optimizers.json", "utf8")) as Optimizers;

for (const { name, lr, beta1, parameters, options } of optimizers.runs) {
  deviceTest(`${name}: seven steps are torch's`, async (device) => {
    const shape = [optimizers.initial.length];
    const adam = options.betas !== undefined;
    const hypers = lr.map((rate, i) => {
      if (!adam) return [rate, options.momentum ?? 0, options.weight_decay, 1];
      const [first, second] = [Math.fround(beta1?.[i] ?? options.betas![0]), Math.fround(options.betas![1])];
      return [rate, first, second, options.eps!, options.weight_decay, 1 - first ** (i + 1), 1 - second ** (i + 1), 1];
    });
    const state = Object.fromEntries((adam ? ["p", "m", "v"] : ["p", "m"]).map((key) => [key, floats(shape)]));
    const program = traced(
      { inputs: { g: floats(shape), hyper: floats([hypers[0].length]) }, state },
      ({ inputs: { g, hyper }, state: { p, m, v } }): Results => {
        if (!adam) {
          const [p2, m2] = sgdUpdate(g, hyper, p, m);
          return { state: { p: p2, m: m2 } };
        }
        const [p2, m2, v2] = adamwUpdate(g, hyper, p, m, v);
        return { state: { p: p2, m: m2, v: v2 } };
      },
    );
    await using(device, program, async (exe) => {
      orThrow(exe.write("state", { p: Float32Array.from(optimizers.initial) }));
      for (const [i, want] of parameters.entries()) {
        orThrow(exe.run({ g: Float32Array.from(optimizers.gradients[i]), hyper: Float32Array.from(hypers[i]) }));
        const { p } = await readAll(exe, ["p"]);
        const off = largestDifference(p, want);
        assert.ok(off <= 2e-6, `step ${i}: off by ${off}`);
      }
    });
  });
}

deviceTest("shrink: the vectors of METHODS.md A.3", async (device) => {
  const g = [0.012, 0.009, 0.0051, -0.012, 0.0049, -0.009, -0.0051, -0.0049, 0, 1];
  const want = { paper: [0.007, 0.004, 0.0001, -0.007, 0, -0.004, -0.0001, 0, 0, 0.995], code: [0.007, 0, 0, -0.007, 0, 0, 0, 0, 0, 0.995] };
  const inputs = { g: { shape: [g.length], data: Float32Array.from(g) }, kappa: { shape: [1], data: Float32Array.of(0.005) } };
  for (const variant of ["paper", "code"] as const) {
    const got = await evaluate(device, inputs, ({ g: gates, kappa }) => ({ y: shrink(gates, kappa, variant) }));
    assert.ok(largestDifference(got.y, want[variant]) < 1e-7, `${variant}: ${got.y}`);
    want[variant].forEach((v, i) => v === 0 && assert.is(got.y[i], 0, `${variant} ${g[i]}`));
    const still = await evaluate(device, { ...inputs, kappa: { shape: [1], data: Float32Array.of(0) } }, ({ g: gates, kappa }) => ({
      y: shrink(gates, kappa, variant),
    }));
    assert.equal([...still.y], [...inputs.g.data], `${variant}: a threshold of 0 changes nothing`);
  }
});

// Shapes that do not fit -------------------------------------------------------------------------------------------------------------------

test("shapes that do not fit are failures that say so", () => {
  const wrong = (inputs: Readonly<Record<string, Value>>, f: (t: Readonly<Record<string, Tensor>>) => Tensor, words: readonly string[]): void => {
    const failure = failureOf(trace({ inputs: specsOf(inputs) }, ({ inputs: t }) => E.right({ outputs: { y: f(t) } })));
    assert.is(failure._tag, "ShapeMismatch");
    for (const word of words) assert.ok(describe(failure).includes(word), `"${describe(failure)}" does not say ${word}`);
  };
  const [a, b, i] = [numbers([3, 5], 1), numbers([4, 7], 2), wholes([3], 3, 2)];
  wrong({ a, b }, (t) => matmul(t.a, t.b), ["matmul", "[3, 5]", "[4, 7]"]);
  wrong({ a, b }, (t) => add(t.a, t.b), ["add", "[4, 7]", "broadcast"]);
  wrong({ a, b: numbers([2, 3, 5], 1) }, (t) => add(t.a, t.b), ["broadcast"]);
  wrong({ a, b: numbers([3, 1], 1), c: numbers([2, 3, 5], 1) }, (t) => mul(t.c, reshape(t.b, [3])), ["broadcast"]);
  wrong({ c: numbers([2, 3, 5, 7, 2], 1), b: numbers([2, 1, 5, 1, 2], 1) }, (t) => mul(t.c, t.b), ["mul", "broadcast"]);
  wrong({ a }, (t) => reshape(t.a, [4, 4]), ["reshape", "[4, 4]"]);
  wrong({ a }, (t) => view(t.a, 3, [1]), ["view", "64"]);
  wrong({ a }, (t) => view(t.a, 0, [16]), ["view", "[16]"]);
  wrong({ a, b }, (t) => crossEntropy(t.a, t.b), ["crossEntropy"]);
  wrong({ a, b }, (t) => layerNorm(t.a, t.b, t.b, 1e-5), ["layerNorm"]);
  wrong({ a, b }, (t) => gather(t.a, t.b), ["gather"]);
  wrong({ a, i }, (t) => slice(t.a, 1, 3, 3), ["slice", "3..6"]);
  wrong({ a }, (t) => patchify(reshape(t.a, [1, 1, 3, 5]), 2), ["patchify"]);
  wrong({ a, b }, (t) => projectOut(t.a, t.b), ["project"]);
  wrong({ a, b }, (t) => shrink(t.a, t.b, "paper"), ["softThreshold"]);
  wrong({ a, b }, (t) => sgdUpdate(t.a, t.b, t.a, t.a)[0], ["sgd"]);
  const seed = seedOf([1, 2]);
  wrong({ a, seed }, (t) => dropout(t.a, 1, t.seed, 0), ["dropout", "1 is not in"]);
  wrong({ a, seed }, (t) => dropout(t.a, -0.1, t.seed, 0), ["dropout", "-0.1"]);
  wrong({ a, seed }, (t) => dropout(t.a, NaN, t.seed, 0), ["dropout", "NaN"]);
  wrong({ a, seed }, (t) => dropout(t.a, 0.5, t.seed, -1), ["dropout", "site -1"]);
  wrong({ a }, (t) => dropout(t.a, 0.5, t.a, 0), ["dropout", "seed f32[3, 5]"]);
  wrong({ a }, (t) => topMask(t.a, 1.5), ["topMask", "1.5"]);
  wrong({ i }, (t) => topMask(t.i, 1), ["topMask", "u32[3]"]);
  wrong({ a }, (t) => sumTo(t.a, { outer: 2, mod: 2, div: 2 }, [2]), ["sum"]);
});

runTests();
