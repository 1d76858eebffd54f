import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { matmulDims, matmulVariants, type MatmulKernel, type MatmulPlan, type MatmulShape } from "../../src/kernels/matmul.ts";
import { deviceTest, dispatch, nameOf, numbers, reads, runTests, updates, type Case } from "./check.ts";

type Sizes = Pick<MatmulShape, "m" | "n" | "k"> & Partial<MatmulShape> & { readonly scale?: number };

/** A product of dense matrices, or of whatever strides it says. */
const shapeOf = ({ m, n, k, ta = false, tb = false, ...rest }: Sizes): MatmulShape => ({
  m,
  n,
  k,
  ta,
  tb,
  r: 0,
  batch: 1,
  heads: 1,
  lda: ta ? m : k,
  ldb: tb ? k : n,
  ldc: n,
  aOuter: m * k,
  aHead: 0,
  bOuter: k * n,
  bHead: 0,
  cOuter: m * n,
  cHead: 0,
  bias: false,
  lowRank: false,
  ...rest,
});

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The error function by its series; terms shrink for the few |x| < 6 that tests use. */
const erf = (x: number): number => {
  if (Math.abs(x) > 5) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let i = 1; i < 200; i++) {
    term *= -(x * x) / i;
    sum += term / (2 * i + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
};

const activations = {
  none: (x: number) => x,
  quickGelu: (x: number) => x * sigmoid(1.702 * x),
  gelu: (x: number) => (x / 2) * (1 + erf(x / Math.SQRT2)),
} as const;

interface Problem {
  readonly shape: MatmulShape;
  readonly one: Omit<Case<MatmulKernel>, "kernel" | "constants" | "grid">;
}

/** The operands of a product with its reference in f64, and how far f32 sums may be from it. */
const problemOf = (sizes: Sizes): Problem => {
  const shape = shapeOf(sizes);
  const { m, n, k, r, ta, tb, batch, heads, lda, ldb, ldc } = shape;
  const scale = sizes.scale ?? 1;
  const at =
    (outer: number, head: number, share = 1) =>
    (z: number): number =>
      Math.floor(z / heads) * outer + Math.floor((z % heads) / share) * head;
  const [aAt, bAt, cAt] = [at(shape.aOuter, shape.aHead), at(shape.bOuter, shape.bHead, shape.share), at(shape.cOuter, shape.cHead)];
  const zs = Array.from({ length: batch }, (_, z) => z);
  const extent = (base: (z: number) => number, rows: number, columns: number, ld: number): number =>
    zs.reduce((end, z) => Math.max(end, rows * columns === 0 ? 0 : base(z) + (rows - 1) * ld + columns), 0);
  const a = numbers(extent(aAt, ta ? k : m, ta ? m : k, lda), 1);
  const b = numbers(extent(bAt, tb ? n : k, tb ? k : n, ldb), 2);
  const c = numbers(extent(cAt, m, n, ldc), 3);
  const [bias, p, q] = [numbers(n, 4), numbers(m * r, 5), numbers(n * r, 6)];
  const act = activations[shape.activation ?? "none"];

  const after = Float64Array.from(c);
  let largest = 0;
  for (const z of zs) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let [sum, size] = [0, 0];
        for (let t = 0; t < k; t++) {
          const term = scale * a[aAt(z) + (ta ? t * lda + i : i * lda + t)] * b[bAt(z) + (tb ? j * ldb + t : t * ldb + j)];
          sum += term;
          size += Math.abs(term);
        }
        for (let t = 0; shape.lowRank && t < r; t++) {
          const term = p[i * r + t] * q[tb ? j * r + t : t * n + j];
          sum += term;
          size += Math.abs(term);
        }
        if (shape.bias) sum += bias[j];
        const to = cAt(z) + i * ldc + j;
        after[to] = act(sum) + (shape.add ? c[to] : 0);
        largest = Math.max(largest, size);
      }
    }
  }
  const dims = matmulDims(shape, scale);
  const operands = [
    reads(a),
    reads(b),
    updates(c, after, { absolute: 4e-7 + 3e-8 * Math.sqrt(k + r) * (1 + largest) }),
    shape.bias ? reads(bias) : undefined,
    shape.lowRank ? reads(p) : undefined,
    shape.lowRank ? reads(q) : undefined,
  ];
  return { shape, one: { dims, operands } };
};

/** Runs plans on one problem: near the reference, nothing else touched, and the same bits from all of them. */
const checkPlans = async (device: Device, problem: Problem, plans: readonly MatmulPlan[]): Promise<void> => {
  let before: { readonly name: string; readonly bytes: Uint8Array } | undefined;
  const { initial, reference = [], tolerance } = problem.one.operands[2]!;
  for (const plan of plans) {
    const name = nameOf({ ...problem.one, ...plan });
    const results = await dispatch(device, { ...problem.one, ...plan });
    const bytes = results[2]!;
    const values = new Float32Array(bytes.buffer, 0, initial.length);
    for (let i = 0; i < initial.length; i++) {
      const near = Math.abs(values[i] - reference[i]) <= tolerance!.absolute!;
      if (!near) assert.unreachable(`${name}: element ${i} is ${values[i]} instead of ${reference[i]}`);
    }
    if (before !== undefined) assert.ok(Buffer.compare(bytes, before.bytes) === 0, `${name}: other bits than ${before.name}`);
    else before = { name, bytes };
  }
};

const forms = [false, true].flatMap((ta) => [false, true].map((tb) => ({ ta, tb })));

/** One plan in five, others for other `first`s, whatever their order: a pipeline takes long to compile on a CPU adapter. */
const some = (plans: readonly MatmulPlan[], first: number): readonly MatmulPlan[] =>
  plans.filter(
    ({ constants: { ROWS, COLS, SWAP, BROADCAST } }) =>
      (Math.log2(Number(ROWS)) + 2 * Math.log2(Number(COLS)) + Number(SWAP === true) + 2 * Number(BROADCAST === true)) % 5 === first,
  );

/** The best guess of each kind of plan. */
const kinds = (plans: readonly MatmulPlan[]): readonly MatmulPlan[] => {
  const kind = ({ kernel, constants }: MatmulPlan): string => `${kernel} ${constants.BROADCAST} ${constants.SWAP}`;
  return [...new Map([...plans].reverse().map((plan) => [kind(plan), plan])).values()];
};

const sweep = (name: string, aligned: boolean, all: readonly (readonly [m: number, n: number, k: number])[]): void =>
  forms.forEach((form, f) =>
    deviceTest(`${name}, ${form.ta ? "T" : "N"}${form.tb ? "T" : "N"}: near f64, the same bits from every plan`, async (device) => {
      for (const [m, n, k] of all) {
        const problem = problemOf({ ...form, m, n, k });
        await checkPlans(device, problem, some(matmulVariants(device.adapter, problem.shape), aligned ? f : 4 - f));
      }
    }),
  );

// Sizes in one list share their pipelines: all or none of them are multiples of four.
sweep("aligned", true, [
  [4, 4, 4],
  [12, 36, 8],
  [32, 32, 16],
  [36, 68, 20],
  [4, 132, 0],
  [64, 4, 4],
]);
sweep("odd", false, [
  [1, 1, 1],
  [7, 13, 5],
  [31, 33, 17],
  [1, 65, 3],
  [67, 1, 2],
  [33, 31, 67],
]);

deviceTest("one operand by vec4, the other not; k of any length", async (device) => {
  for (const [form, m, n, k] of [
    ["NN", 5, 12, 7],
    ["TN", 12, 5, 6],
    ["TT", 8, 9, 5],
    ["NT", 6, 10, 4],
    ["TN", 12, 20, 9],
  ] as const) {
    const problem = problemOf({ ta: form[0] === "T", tb: form[1] === "T", m, n, k });
    await checkPlans(device, problem, kinds(matmulVariants(device.adapter, problem.shape)));
  }
});

deviceTest("empty products", async (device) => {
  for (const [m, n, k] of [
    [0, 5, 3],
    [5, 0, 3],
    [5, 7, 0],
    [0, 0, 0],
  ]) {
    const problem = problemOf({ m, n, k, bias: true, add: true });
    await checkPlans(
      device,
      problem,
      kinds(matmulVariants(device.adapter, problem.shape)).filter(({ constants }) => !constants.SWAP),
    );
  }
});

const epilogues: readonly Partial<Sizes>[] = [
  { bias: true, lowRank: true, r: 3 },
  { scale: 0.125, bias: true, activation: "quickGelu", add: true },
  { scale: -2, lowRank: true, r: 16, activation: "gelu", add: true },
  { lowRank: true, r: 0, bias: true, activation: "gelu" },
];

epilogues.forEach((epilogue, e) =>
  deviceTest(`epilogue ${JSON.stringify(epilogue)}`, async (device) => {
    for (const f of [e, 3 - e]) {
      const form = forms[f];
      const [m, n, k] = f % 2 === 0 ? [12, 20, 8] : [9, 19, 7];
      const problem = problemOf({ ...form, m, n, k, ...epilogue });
      await checkPlans(device, problem, kinds(matmulVariants(device.adapter, problem.shape)));
    }
  }),
);

deviceTest("heads read and written with strides, as attention does", async (device) => {
  const [batch, heads, tokens, head] = [2, 3, 9, 8];
  const width = heads * head;
  const split = { ld: width, outer: tokens * width, head };
  const whole = { ld: tokens, outer: heads * tokens * tokens, head: tokens * tokens };
  const strided = (a: typeof split, b: typeof split, c: typeof split): Partial<Sizes> => ({
    batch: batch * heads,
    heads,
    lda: a.ld,
    ldb: b.ld,
    ldc: c.ld,
    aOuter: a.outer,
    aHead: a.head,
    bOuter: b.outer,
    bHead: b.head,
    cOuter: c.outer,
    cHead: c.head,
  });
  const products: readonly Sizes[] = [
    { m: tokens, n: tokens, k: head, tb: true, scale: head ** -0.5, ...strided(split, split, whole) },
    { m: tokens, n: head, k: tokens, ...strided(whole, split, split) },
    { m: tokens, n: head, k: tokens, ta: true, ...strided(whole, split, split) },
  ];
  for (const sizes of products) {
    const problem = problemOf(sizes);
    await checkPlans(device, problem, kinds(matmulVariants(device.adapter, problem.shape)));
  }
});

deviceTest("heads that share a matrix of B", async (device) => {
  const [batch, heads, share, tokens, keys, head] = [2, 6, 3, 5, 9, 8];
  const width = (heads / share) * head;
  const b = { bOuter: keys * width, bHead: head, ldb: width };
  const common = { batch: batch * heads, heads, share, ...b };
  const scores = { aOuter: tokens * heads * head, aHead: head, lda: heads * head, cOuter: heads * tokens * keys, cHead: tokens * keys, ldc: keys };
  const values = { aOuter: scores.cOuter, aHead: scores.cHead, lda: keys, cOuter: scores.aOuter, cHead: head, ldc: heads * head };
  for (const sizes of [
    { m: tokens, n: keys, k: head, tb: true, ...common, ...scores },
    { m: tokens, n: head, k: keys, ...common, ...values },
  ]) {
    const problem = problemOf(sizes);
    await checkPlans(device, problem, kinds(matmulVariants(device.adapter, problem.shape)));
  }
});

deviceTest("one matrix for all of a batch, and rows that do not touch", async (device) => {
  const problem = problemOf({ m: 5, n: 6, k: 8, batch: 3, bOuter: 0, lda: 12, aOuter: 64, ldb: 8, ldc: 7, cOuter: 40 });
  await checkPlans(device, problem, kinds(matmulVariants(device.adapter, problem.shape)));
});

runTests();
