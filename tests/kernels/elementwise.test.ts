import { dropoutMask } from "../../src/kernels/dropout.ts";
import { elementwiseConstants, elementwiseDims, mostOperands, type ElementTypes, type Meeting } from "../../src/kernels/elementwise.ts";
import { oneStep, type ElementFunction, type Expression } from "../../src/kernels/expression.ts";
import { hasF16 } from "../fixtures/shaderF16.ts";
import {
  checkElements,
  checkKernel,
  deviceTest,
  deviceTestWith,
  numbers,
  reads,
  runTests,
  updates,
  writes,
  type Case,
  type Operand,
  type Tolerance,
  type Values,
} from "./check.ts";

const counts = [0, 1, 7, 63, 64, 65, 1009];

/** A launch of an expression of operands, which meet its results in these ways. */
const computes = (
  expression: Expression,
  operands: readonly (readonly [Values, Meeting])[],
  count: number,
  ...results: readonly Operand[]
): Omit<Case<"elementwise">, "grid"> => {
  const meetings = operands.map(([, meeting]) => meeting);
  const inputs = Array.from({ length: mostOperands }, (_, j) => operands[j] && reads(operands[j][0]));
  return {
    kernel: "elementwise",
    constants: elementwiseConstants(expression, meetings),
    dims: elementwiseDims(expression, meetings, count),
    operands: [...inputs, ...results],
  };
};

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
  readonly constants?: readonly number[];
}

const activations = [0, -0, 1e-30, -1e-30, 1e4, -1e4, 3e37, -3e37, 5, -5, 12, -12, 16.5, -16.5];

const unary: Readonly<Partial<Record<ElementFunction, Unary>>> = {
  affine: { f: (x) => alpha * x + beta, low: -10, high: 10, tolerance: { absolute: 1e-6, relative: 1e-7 }, constants: [alpha, beta] },
  times: { f: (x) => alpha * x, low: -10, high: 10, tolerance: { relative: 6e-8 }, constants: [alpha] },
  exp: { f: Math.exp, low: -20, high: 20, tolerance: { relative: 3e-6 } },
  log: { f: Math.log, low: 1e-3, high: 100, tolerance: { absolute: 5e-7, relative: 5e-7 }, edges: [1, 1e-30, 1e30] },
  sqrt: { f: Math.sqrt, low: 0, high: 100, tolerance: { relative: 3e-7 }, edges: [0, 1e-30, 1e30] },
  square: { f: (x) => x * x, low: -10, high: 10, tolerance: { relative: 1e-7 } },
  abs: { f: Math.abs, low: -10, high: 10, tolerance: {}, edges: [0, -0] },
  sign: { f: Math.sign, low: -10, high: 10, tolerance: {}, edges: [0, -0, 1e-30, -1e-30] },
  sigmoid: { f: sigmoid, low: -20, high: 20, tolerance: { absolute: 1e-30, relative: 3e-6 }, edges: activations },
  quickGelu: { f: (x) => x * sigmoid(1.702 * x), low: -12, high: 12, tolerance: { absolute: 2e-7, relative: 4e-7 }, edges: activations },
  silu: { f: (x) => x * sigmoid(x), low: -20, high: 20, tolerance: { absolute: 1e-30, relative: 3e-6 }, edges: activations },
  siluSlope: { f: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))), low: -20, high: 20, tolerance: { absolute: 1e-6, relative: 1e-6 }, edges: activations },
  geluSlope: { f: (x) => normal(x) + x * density(x), low: -9, high: 9, tolerance: { absolute: 1e-6, relative: 1e-6 }, edges: activations },
  gelu: { f: (x) => x * normal(x), low: -7, high: 7, tolerance: { absolute: 1e-7, relative: 3e-7 }, edges: activations },
};

for (const [name, { f, low, high, tolerance, edges = [], constants }] of Object.entries(unary)) {
  deviceTest(`${name} of an element`, async (device) => {
    for (const count of counts) {
      const x = numbers(count, count + 1, low, high);
      if (count > edges.length) x.set(edges);
      const y = writes(Float64Array.from(x, f), tolerance);
      await checkElements(device, count, computes(oneStep(name as ElementFunction, constants), [[x, "same"]], count, y));
    }
  });
}

interface Binary {
  readonly f: (a: number, b: number) => number;
  readonly tolerance: Tolerance;
  readonly expression: Expression;
}

const of = (expression: Expression, f: Binary["f"], tolerance: Tolerance): Binary => ({ f, tolerance, expression });
const slopeOf = (fn: "siluSlope" | "geluSlope"): Expression => ({
  operands: 2,
  steps: [
    { fn, of: [0] },
    { fn: "mul", of: [1, 2] },
  ],
});

const binary: Readonly<Record<string, Binary>> = {
  add: of(oneStep("add"), (a, b) => a + b, { relative: 6e-8 }),
  sub: of(oneStep("sub"), (a, b) => a - b, { relative: 6e-8 }),
  mul: of(oneStep("mul"), (a, b) => a * b, { relative: 6e-8 }),
  div: of(oneStep("div"), (a, b) => a / b, { relative: 3e-7 }),
  max: of(oneStep("max"), Math.max, {}),
  "quickGelu's gradient": of(
    oneStep("quickGeluGrad"),
    (z, dy) => {
      const s = sigmoid(1.702 * z);
      return dy * s * (1 + 1.702 * z * (1 - s));
    },
    { absolute: 3e-6, relative: 1e-6 },
  ),
  "silu's gradient": of(slopeOf("siluSlope"), (z, dy) => dy * sigmoid(z) * (1 + z * (1 - sigmoid(z))), { absolute: 3e-6, relative: 1e-6 }),
  "gelu's gradient": of(slopeOf("geluSlope"), (z, dy) => dy * (normal(z) + z * density(z)), { absolute: 2e-6, relative: 1e-6 }),
};

for (const [name, { f, tolerance, expression }] of Object.entries(binary)) {
  deviceTest(`${name} of two elements, shape for shape`, async (device) => {
    for (const count of counts) {
      const [a, b] = [numbers(count, count + 1, -9, 9), numbers(count, count + 2, 0.5, 8)];
      if (name.endsWith("gradient") && count > activations.length) a.set(activations);
      const want = Float64Array.from(a, (x, i) => f(x, b[i]));
      const operands = [
        [a, "same"],
        [b, "same"],
      ] as const;
      await checkElements(device, count, computes(expression, operands, count, writes(want, tolerance)));
    }
  });

  deviceTest(`${name} of two elements, broadcast`, async (device) => {
    for (const [outer, mod, div] of [
      [1, 1, 1],
      [5, 13, 1],
      [3, 7, 11],
      [1, 17, 64],
      [65, 1, 1],
      [0, 3, 2],
      [9, 64, 3],
    ]) {
      const count = outer * mod * div;
      const [a, b] = [numbers(count, count + 1, -9, 9), numbers(mod, count + 2, 0.5, 8)];
      const want = Float64Array.from(a, (x, i) => f(x, b[Math.floor(i / div) % mod]));
      const operands = [
        [a, "same"],
        [b, { outer, mod, div }],
      ] as const;
      await checkElements(device, count, computes(expression, operands, count, writes(want, tolerance)));
    }
  });
}

deviceTest("two results of three operands: the gradients of swiglu", async (device) => {
  const slope = (z: number): number => sigmoid(z) * (1 + z * (1 - sigmoid(z)));
  const expression: Expression = {
    operands: 3,
    steps: [
      { fn: "mul", of: [0, 2] },
      { fn: "siluSlope", of: [1] },
      { fn: "mul", of: [3, 4] },
      { fn: "silu", of: [1] },
      { fn: "mul", of: [0, 6] },
    ],
    values: [5, 7],
  };
  for (const count of counts) {
    const [dy, gate, up] = [numbers(count, 1), numbers(count, 2, -20, 20), numbers(count, 3, -3, 3)];
    if (count > activations.length) gate.set(activations);
    const tolerance = { absolute: 3e-6, relative: 3e-6 };
    const dgate = Float64Array.from(dy, (d, i) => d * up[i] * slope(gate[i]));
    const dup = Float64Array.from(dy, (d, i) => d * gate[i] * sigmoid(gate[i]));
    const operands = [
      [dy, "same"],
      [gate, "same"],
      [up, "same"],
    ] as const;
    await checkElements(device, count, computes(expression, operands, count, writes(dgate, tolerance), writes(dup, tolerance)));
  }
});

deviceTest("results that overwrite operands: one of them, the other, or both", async (device) => {
  const expression: Expression = {
    operands: 4,
    steps: [
      { fn: "mul", of: [0, 1] },
      { fn: "sub", of: [4, 2] },
      { fn: "add", of: [5, 3] },
      { fn: "mul", of: [0, 2] },
    ],
    values: [6, 7],
  };
  for (const count of counts) {
    const [a, b, c, d] = [numbers(count, 1), numbers(count, 2), numbers(count, 3), numbers(7, 4)];
    const meetings: readonly Meeting[] = ["same", "same", "same", { outer: Math.ceil(count / 7), mod: 7, div: 1 }];
    const results = [Float64Array.from(a, (x, i) => x * b[i] - c[i] + d[i % 7]), Float64Array.from(a, (x, i) => x * c[i])];
    for (const over of [[0], [1, 0], [undefined, 2], [2, 1]]) {
      const inputs = [a, b, c, d].map((x, j) => (over.includes(j) ? undefined : reads(x)));
      const outputs = results.map((result, j) => {
        const overwritten = over[j];
        return overwritten === undefined ? writes(result, { absolute: 3e-7 }) : updates([a, b, c][overwritten], result, { absolute: 3e-7 });
      });
      await checkElements(device, count, {
        kernel: "elementwise",
        constants: elementwiseConstants(expression, meetings, undefined, over),
        dims: elementwiseDims(expression, meetings, count),
        operands: [...inputs, undefined, undefined, ...outputs],
      });
    }
  }
});

deviceTestWith(hasF16, "shader-f16")("a result that is stored as f16 overwrites an operand of f16", async (device) => {
  // Halves of 1, 1.5, …, 4.5, and of twice that, which f16 holds.
  const [x, twice] = [Uint16Array.of(0x3c00, 0x3e00, 0x4000, 0x4100, 0x4200, 0x4300, 0x4400, 0x4480), Float32Array.of(2, 3, 4, 5, 6, 7, 8, 9)];
  const types: ElementTypes = { operands: ["f16"], results: ["f16"] };
  const expression = oneStep("times", [2]);
  await checkElements(device, 8, {
    kernel: "elementwise",
    constants: elementwiseConstants(expression, ["same"], types, [0]),
    dims: elementwiseDims(expression, ["same"], 8),
    operands: [...Array.from({ length: mostOperands }, () => undefined), updates(x, twice)],
  });
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

deviceTest("operands that are broadcast over a gap", async (device) => {
  for (const shape of gaps) {
    const [outer, high, gap, low, div] = shape;
    const count = outer * high * gap * low * div;
    const [a, b] = [numbers(count, 1, -9, 9), numbers(high * low, 2)];
    const at = { outer, mod: high * low, div, gap: { count: gap, low } };
    const product = Float64Array.from(a, (x, i) => x * b[across(i, shape)]);
    await checkElements(
      device,
      count,
      computes(
        oneStep("mul"),
        [
          [a, "same"],
          [b, at],
        ],
        count,
        writes(product, { relative: 6e-8 }),
      ),
    );
    const repeated = Float64Array.from(a, (_, i) => alpha * b[across(i, shape)]);
    await checkElements(device, count, computes(oneStep("times", [alpha]), [[b, at]], count, writes(repeated, { relative: 6e-8 })));
  }
});

deviceTest("a constant, of no operand", async (device) => {
  for (const count of counts) {
    await checkElements(device, count, computes(oneStep("constant", [2.5]), [], count, writes(new Float64Array(count).fill(2.5))));
  }
});

deviceTest("an operand that is repeated, alone", async (device) => {
  for (const [outer, mod, div] of [
    [1, 1, 1],
    [5, 13, 1],
    [3, 7, 11],
    [1, 1, 130],
    [0, 3, 2],
  ]) {
    const count = outer * mod * div;
    const x = numbers(mod, 5);
    const y = Float64Array.from({ length: count }, (_, i) => alpha * x[Math.floor(i / div) % mod]);
    await checkElements(device, count, computes(oneStep("times", [alpha]), [[x, { outer, mod, div }]], count, writes(y, { relative: 6e-8 })));
  }
});

deviceTest("a window of the results meets its own elements of an operand that is broadcast", async (device) => {
  const [first, count] = [128, 75];
  const [a, row, column, one] = [numbers(count, 1), numbers(13, 2), numbers(7, 3), numbers(1, 4)];
  const meetings: readonly Meeting[] = ["same", { outer: 9, mod: 13, div: 1 }, { outer: 1, mod: 7, div: 64 }, { outer: 1, mod: 1, div: 448 }];
  const steps = [1, 2, 3].map((j) => ({ fn: "add", of: [j === 1 ? 0 : 2 + j, j] }) as const);
  const expression: Expression = { operands: 4, steps };
  const want = Float64Array.from(a, (x, i) => x + row[(first + i) % 13] + column[Math.floor((first + i) / 64) % 7] + one[0]);
  await checkElements(device, count, {
    kernel: "elementwise",
    constants: elementwiseConstants(expression, meetings),
    dims: elementwiseDims(expression, meetings, count, first),
    operands: [reads(a), reads(row), reads(column), reads(one), undefined, undefined, writes(want, { absolute: 1e-6 })],
  });
});

deviceTest("numbers are what they are: subnormal ones too, and those of many digits", async (device) => {
  for (const value of [1 / 3, -0, 3.4028234e38, 1.1754944e-38, Math.fround(1e-7)]) {
    const [x, y] = [Float32Array.of(1, -1), writes(Float64Array.of(Math.fround(value), -Math.fround(value)))];
    await checkElements(device, 2, computes(oneStep("times", [value]), [[x, "same"]], 2, y));
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
  await checkKernel(device, { ...computes(oneStep("abs"), [[x, "same"]], count, writes(x.map(Math.abs))), grid: [2, 2, 1] });
  const twice = [
    [x, "same"],
    [x, "same"],
  ] as const;
  await checkKernel(device, { ...computes(oneStep("add"), twice, count, writes(x.map((v) => 2 * v))), grid: [1, 5, 1] });
});

runTests();
