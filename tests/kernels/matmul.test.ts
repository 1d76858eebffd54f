import { oneStep, type Expression } from "../../src/kernels/expression.ts";
import type { MatmulPlan } from "../../src/kernels/matmul.ts";
import { matmulVariants } from "../../src/kernels/variants.ts";
import { deviceTest, runTests } from "./check.ts";
import { checkPlans, kinds, problemOf, type Sizes } from "./products.ts";

const forms = [false, true].flatMap((ta) => [false, true].map((tb) => ({ ta, tb })));

/** One plan in five, others for other `first`s, whatever their order: a pipeline takes long to compile on a CPU adapter. Tiles have a test of their own. */
const some = (plans: readonly MatmulPlan[], first: number): readonly MatmulPlan[] =>
  plans.filter(({ kernel, constants: { ROWS, COLS, SWAP, BROADCAST, DOWN, ACROSS } }) =>
    kernel === "matmul-tiled"
      ? DOWN === 8 && ACROSS === 4
      : (Math.log2(Number(ROWS)) + 2 * Math.log2(Number(COLS)) + Number(SWAP === true) + 2 * Number(BROADCAST === true)) % 5 === first,
  );

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

/** The sum itself, and an activation of it. */
const beside: Expression = { operands: 1, steps: [{ fn: "quickGelu", of: [0] }], values: [0, 1] };

/** Two results of one sum: times a row's numbers, and times another matrix, plus a number. */
const gated: Expression = {
  operands: 4,
  steps: [
    { fn: "mul", of: [0, 1] },
    { fn: "mul", of: [0, 2] },
    { fn: "add", of: [5, 3] },
  ],
  values: [4, 6],
};

const epilogues: readonly Partial<Sizes>[] = [
  { bias: true, lowRank: true, r: 3 },
  { scale: 0.125, bias: true, epilogue: { expression: oneStep("quickGelu"), operands: [] }, add: true },
  { scale: -2, lowRank: true, r: 16, epilogue: { expression: oneStep("gelu"), operands: [] }, add: true },
  { lowRank: true, r: 0, bias: true, epilogue: { expression: oneStep("gelu"), operands: [] } },
  { bias: true, lowRank: true, r: 2, epilogue: { expression: beside, operands: [] } },
  { scale: 0.5, epilogue: { expression: gated, operands: ["column", "same", "one"] } },
  { bias: true, lowRank: true, r: 5, epilogue: { expression: oneStep("add"), operands: ["same"] } },
];

epilogues.forEach((epilogue, e) =>
  deviceTest(`epilogue ${e}: ${JSON.stringify(epilogue)}`, async (device) => {
    for (const f of [e % 4, 3 - (e % 4)]) {
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
