import { dropoutMask } from "../../src/kernels/dropout.ts";
import { checkElements, checkKernel, deviceTest, numbers, reads, runTests, writes } from "./check.ts";
import type { Tolerance } from "./check.ts";

const counts = [0, 1, 7, 63, 64, 65, 1009];

/** The normal distribution function by its power series, and by a continued fraction in the tail; good to 1e-15. */
const normal = (x: number): number => {
  const a = Math.abs(x);
  if (a > 38) return x > 0 ? 1 : 0;
  if (a < 3) {
    let [term, sum] = [a, a];
    for (let k = 1; k < 100; k += 1) {
      term *= (a * a) / (2 * k + 1);
      sum += term;
    }
    const inner = sum * density(a);
    return x < 0 ? 0.5 - inner : 0.5 + inner;
  }
  let fraction = 0;
  for (let k = 100; k > 0; k -= 1) fraction = k / (a + fraction);
  const tail = density(a) / (a + fraction);
  return x < 0 ? tail : 1 - tail;
};
const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const [alpha, beta] = [Math.fround(-1.7), Math.fround(0.3)];

interface Unary {
  readonly f: (x: number) => number;
  readonly low: number;
  readonly high: number;
  readonly tolerance: Tolerance;
  /** Values that are tested beside random ones. */
  readonly edges?: readonly number[];
}

const activations = [0, -0, 1e-30, -1e-30, 1e4, -1e4, 3e37, -3e37, 5, -5, 12, -12, 16.5, -16.5];

const unary: Readonly<Record<string, Unary>> = {
  AFFINE: { f: (x) => alpha * x + beta, low: -10, high: 10, tolerance: { absolute: 1e-6, relative: 1e-7 } },
  EXP: { f: Math.exp, low: -20, high: 20, tolerance: { relative: 3e-6 } },
  LOG: { f: Math.log, low: 1e-3, high: 100, tolerance: { absolute: 5e-7, relative: 5e-7 }, edges: [1, 1e-30, 1e30] },
  SQRT: { f: Math.sqrt, low: 0, high: 100, tolerance: { relative: 3e-7 }, edges: [0, 1e-30, 1e30] },
  SQUARE: { f: (x) => x * x, low: -10, high: 10, tolerance: { relative: 1e-7 } },
  ABS: { f: Math.abs, low: -10, high: 10, tolerance: {}, edges: [0, -0] },
  SIGN: { f: Math.sign, low: -10, high: 10, tolerance: {}, edges: [0, -0, 1e-30, -1e-30] },
  SIGMOID: { f: sigmoid, low: -20, high: 20, tolerance: { absolute: 1e-30, relative: 3e-6 }, edges: activations },
  RECIPROCAL: { f: (x) => 1 / x, low: 0.1, high: 10, tolerance: { relative: 3e-7 }, edges: [-3, 1e30, -1e-30] },
  QUICK_GELU: { f: (x) => x * sigmoid(1.702 * x), low: -12, high: 12, tolerance: { absolute: 2e-7, relative: 4e-7 }, edges: activations },
  SILU: { f: (x) => x * sigmoid(x), low: -20, high: 20, tolerance: { absolute: 1e-30, relative: 3e-6 }, edges: activations },
  GELU: { f: (x) => x * normal(x), low: -7, high: 7, tolerance: { absolute: 1e-7, relative: 3e-7 }, edges: activations },
};

for (const [name, { f, low, high, tolerance, edges = [] }] of Object.entries(unary)) {
  deviceTest(`map ${name}`, async (device) => {
    for (const count of counts) {
      const x = numbers(count, count + 1, low, high);
      if (count > edges.length) x.set(edges);
      await checkElements(device, count, {
        kernel: "map",
        constants: { [name]: true },
        dims: { count, alpha, beta },
        operands: [reads(x), writes(Float64Array.from(x, f), tolerance)],
      });
    }
  });
}

interface Binary {
  readonly f: (a: number, b: number) => number;
  readonly tolerance: Tolerance;
}

const binary: Readonly<Record<string, Binary>> = {
  ADD: { f: (a, b) => a + b, tolerance: { relative: 6e-8 } },
  SUB: { f: (a, b) => a - b, tolerance: { relative: 6e-8 } },
  MUL: { f: (a, b) => a * b, tolerance: { relative: 6e-8 } },
  DIV: { f: (a, b) => a / b, tolerance: { relative: 3e-7 } },
  MAX: { f: Math.max, tolerance: {} },
  QUICK_GELU_GRAD: {
    f: (z, dy) => {
      const s = sigmoid(1.702 * z);
      return dy * s * (1 + 1.702 * z * (1 - s));
    },
    tolerance: { absolute: 3e-6, relative: 1e-6 },
  },
  SILU_GRAD: { f: (z, dy) => dy * sigmoid(z) * (1 + z * (1 - sigmoid(z))), tolerance: { absolute: 3e-6, relative: 1e-6 } },
  SWIGLU: { f: (z, b) => z * sigmoid(z) * b, tolerance: { absolute: 1e-6, relative: 3e-6 } },
  GELU_GRAD: { f: (z, dy) => dy * (normal(z) + z * density(z)), tolerance: { absolute: 2e-6, relative: 1e-6 } },
};

for (const [name, { f, tolerance }] of Object.entries(binary)) {
  deviceTest(`zip ${name}, shape for shape`, async (device) => {
    for (const count of counts) {
      const [a, b] = [numbers(count, count + 1, -9, 9), numbers(count, count + 2, 0.5, 8)];
      if (name.endsWith("GRAD") && count > activations.length) a.set(activations);
      await checkElements(device, count, {
        kernel: "zip",
        constants: { [name]: true, SAME: true },
        dims: { count, div: 1, wrap: count, low: 1, span: 1 },
        operands: [
          reads(a),
          reads(b),
          writes(
            Float64Array.from(a, (x, i) => f(x, b[i])),
            tolerance,
          ),
        ],
      });
    }
  });

  deviceTest(`zip ${name}, broadcast`, async (device) => {
    for (const [outer, wrap, div] of [
      [1, 1, 1],
      [5, 13, 1],
      [3, 7, 11],
      [1, 17, 64],
      [65, 1, 1],
      [0, 3, 2],
      [9, 64, 3],
    ]) {
      const count = outer * wrap * div;
      const [a, b] = [numbers(count, count + 1, -9, 9), numbers(wrap, count + 2, 0.5, 8)];
      await checkElements(device, count, {
        kernel: "zip",
        constants: { [name]: true },
        dims: { count, div, wrap, low: 1, span: 1 },
        operands: [
          reads(a),
          reads(b),
          writes(
            Float64Array.from(a, (x, i) => f(x, b[Math.floor(i / div) % wrap])),
            tolerance,
          ),
        ],
      });
    }
  });
}

deviceTest("swiglu-grad", async (device) => {
  for (const count of counts) {
    const [dy, gate, up] = [numbers(count, 1), numbers(count, 2, -20, 20), numbers(count, 3, -3, 3)];
    if (count > activations.length) gate.set(activations);
    const tolerance = { absolute: 3e-6, relative: 3e-6 };
    const slope = (z: number): number => sigmoid(z) * (1 + z * (1 - sigmoid(z)));
    await checkElements(device, count, {
      kernel: "swiglu-grad",
      constants: {},
      dims: { count },
      operands: [
        reads(dy),
        reads(gate),
        reads(up),
        writes(
          Float64Array.from(dy, (d, i) => d * up[i] * slope(gate[i])),
          tolerance,
        ),
        writes(
          Float64Array.from(dy, (d, i) => d * gate[i] * sigmoid(gate[i])),
          tolerance,
        ),
      ],
    });
  }
});

/** [outer, high, gap, low, div] */
const gaps = [
  [1, 1, 1, 1, 1],
  [1, 5, 3, 7, 1],
  [3, 2, 13, 1, 5],
  [2, 65, 1, 3, 2],
  [1, 9, 64, 63, 1],
  [0, 3, 2, 2, 1],
] as const;

/** The element of [high, low] that element i of [outer, high, gap, low, div] meets. */
const across = (i: number, [, high, gap, low, div]: (typeof gaps)[number]): number => {
  const j = Math.floor(i / div);
  return (Math.floor(j / (gap * low)) % high) * low + (j % low);
};

deviceTest("zip and expand over a gap", async (device) => {
  for (const shape of gaps) {
    const [outer, high, gap, low, div] = shape;
    const count = outer * high * gap * low * div;
    const [a, b] = [numbers(count, 1, -9, 9), numbers(high * low, 2)];
    await checkElements(device, count, {
      kernel: "zip",
      constants: { MUL: true, GAP: true },
      dims: { count, div, wrap: high * low, low, span: gap * low },
      operands: [
        reads(a),
        reads(b),
        writes(
          Float64Array.from(a, (x, i) => x * b[across(i, shape)]),
          { relative: 6e-8 },
        ),
      ],
    });
    await checkElements(device, count, {
      kernel: "expand",
      constants: { GAP: true },
      dims: { count, div, wrap: high * low, alpha, low, span: gap * low },
      operands: [
        reads(b),
        writes(
          Float64Array.from(a, (_, i) => alpha * b[across(i, shape)]),
          { relative: 6e-8 },
        ),
      ],
    });
  }
});

deviceTest("fill", async (device) => {
  for (const count of counts) {
    await checkElements(device, count, {
      kernel: "fill",
      constants: {},
      dims: { count, value: 2.5 },
      operands: [writes(new Float64Array(count).fill(2.5))],
    });
  }
});

deviceTest("expand", async (device) => {
  for (const [outer, wrap, div] of [
    [1, 1, 1],
    [5, 13, 1],
    [3, 7, 11],
    [1, 1, 130],
    [0, 3, 2],
  ]) {
    const count = outer * wrap * div;
    const x = numbers(wrap, 5);
    const y = Float64Array.from({ length: count }, (_, i) => alpha * x[Math.floor(i / div) % wrap]);
    await checkElements(device, count, {
      kernel: "expand",
      constants: {},
      dims: { count, div, wrap, alpha, low: 1, span: 1 },
      operands: [reads(x), writes(y, { relative: 6e-8 })],
    });
  }
});

deviceTest("dropout, of a window of a tensor too", async (device) => {
  const [p, seed, site] = [0.3, [5, 9] as const, 17];
  const [threshold, factor] = [Math.round(p * 2 ** 32), Math.fround(1 / (1 - p))];
  for (const count of counts) {
    for (const first of [0, 64, 4096]) {
      const x = numbers(count, count + 1);
      const kept = dropoutMask(first + count, p, seed, site).subarray(first);
      await checkElements(device, count, {
        kernel: "dropout",
        constants: {},
        dims: { count, first, site, threshold, scale: factor },
        operands: [reads(x), reads(Float32Array.from(seed)), writes(x.map((v, i) => factor * v * kept[i]))],
      });
    }
  }
});

deviceTest("a grid folded over x and y reaches every element", async (device) => {
  const count = 200;
  const x = numbers(count, 3);
  await checkKernel(device, {
    kernel: "map",
    constants: { ABS: true },
    dims: { count, alpha: 1, beta: 0 },
    grid: [2, 2, 1],
    operands: [reads(x), writes(x.map(Math.abs))],
  });
  await checkKernel(device, {
    kernel: "zip",
    constants: { ADD: true, SAME: true },
    dims: { count, div: 1, wrap: count, low: 1, span: 1 },
    grid: [1, 5, 1],
    operands: [reads(x), reads(x), writes(x.map((v) => 2 * v))],
  });
});

runTests();
