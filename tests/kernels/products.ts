/** Matrix products as cases of a kernel, with their references in f64. */
import * as assert from "uvu/assert";
import type { Device } from "../../src/device/device.ts";
import { fromF16, toF16 } from "../../src/formats/half.ts";
import { epilogueBindings, type ProductMeeting } from "../../src/kernels/epilogue.ts";
import { valuesOf as resultsOf, type ElementFunction, type Expression } from "../../src/kernels/expression.ts";
import { matmulDims, partTerms, type MatmulKernel, type MatmulPlan, type MatmulShape } from "../../src/kernels/matmul.ts";
import { partialElements } from "../../src/kernels/split.ts";
import { dispatch, nameOf, numbers, reads, sentinel, updates, valuesOf, type Case, type Operand, type Values } from "./check.ts";
import { sameBytes } from "../bytes.ts";

/** The sizes of a product; what is not said is as in a product of two dense matrices. */
export type Sizes = Pick<MatmulShape, "m" | "n" | "k"> & Partial<MatmulShape> & { readonly scale?: number };

/** A product of dense matrices, or of whatever strides it says. */
export const shapeOf = ({ m, n, k, ta = false, tb = false, ...rest }: Sizes): MatmulShape => ({
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

/** The functions of elements that epilogues of tests are made of. */
const functions: Partial<Record<ElementFunction, (x: number, y: number) => number>> = {
  quickGelu: (x) => x * sigmoid(1.702 * x),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  add: (x, y) => x + y,
  mul: (x, y) => x * y,
};

/** The values of an expression of functions without numbers. */
const computed = (expression: Expression, operands: readonly number[]): readonly number[] => {
  const all = [...operands];
  for (const { fn, of } of expression.steps) all.push(functions[fn]!(all[of[0]], all[of[1]]));
  return resultsOf(expression).map((at) => all[at]);
};

/** A product with its operands. */
export interface Problem {
  readonly shape: MatmulShape;
  readonly one: Omit<Case<MatmulKernel>, "kernel" | "constants" | "grid">;
}

/** What is computed with, and how it is stored. */
const stored = (type: "f16" | undefined, multiply: MatmulShape["multiply"], values: Float32Array): readonly [Float32Array, Values] => {
  const words = Uint16Array.from(values, toF16);
  return [type === undefined && multiply !== "f16" ? values : Float32Array.from(words, fromF16), type === undefined ? values : words];
};

/** The operands of a product, or of the parts of one, with its reference in f64, and how far f32 sums may be from it. */
export const problemOf = (sizes: Sizes): Problem => {
  const shape = shapeOf(sizes);
  const { m, n, k, r, ta, tb, batch, heads, lda, ldb, ldc } = shape;
  const scale = sizes.scale ?? 1;
  const { parts = 1 } = shape;
  const terms = partTerms(k, parts);
  const at =
    (outer: number, head: number, share = 1) =>
    (z: number): number =>
      Math.floor(z / heads) * outer + Math.floor((z % heads) / share) * head;
  const [aAt, bAt, cAt] = [at(shape.aOuter, shape.aHead), at(shape.bOuter, shape.bHead, shape.share), at(shape.cOuter, shape.cHead)];
  const zs = Array.from({ length: batch }, (_, z) => z);
  const extent = (base: (z: number) => number, rows: number, columns: number, ld: number): number =>
    zs.reduce((end, z) => Math.max(end, rows * columns === 0 ? 0 : base(z) + (rows - 1) * ld + columns), 0);
  const length = parts === 1 ? extent(cAt, m, n, ldc) : partialElements(shape, parts);
  /** Where a part of a sum lies: the parts of 64 sums lie together. */
  const placeOf = (sum: number, part: number): number => (parts === 1 ? sum : (Math.floor(sum / 64) * parts + part) * 64 + (sum % 64));
  const types = shape.types ?? {};
  const [a, aStored] = stored(types.a, shape.multiply, numbers(extent(aAt, ta ? k : m, ta ? m : k, lda), 1));
  const [b, bStored] = stored(types.b, shape.multiply, numbers(extent(bAt, tb ? n : k, tb ? k : n, ldb), 2));
  const [c, cStored] = stored(types.c, undefined, numbers(length, 3));
  const bias = numbers(n, 4);
  const [p, pStored] = stored(undefined, shape.multiply, numbers(m * r, 5));
  const [q, qStored] = stored(undefined, shape.multiply, numbers(n * r, 6));
  const extras = (shape.epilogue?.operands ?? []).map((meeting, j) =>
    numbers(
      meeting === "same" ? c.length : meeting === "column" ? n : meeting === "columns" ? Math.floor((batch - 1) / heads) * (shape.columnStep ?? 0) + n : 1,
      7 + j,
    ),
  );
  const extraAt: Readonly<Record<ProductMeeting, (to: number, column: number) => number>> = {
    same: (to) => to,
    column: (_, j) => j,
    columns: (to, j) => Math.floor(to / shape.cOuter) * (shape.columnStep ?? 0) + j,
    one: () => 0,
  };
  const finished = (sum: number, to: number, column: number): readonly number[] => {
    if (shape.epilogue === undefined) return [sum];
    const { expression, operands } = shape.epilogue;
    return computed(expression, [sum, ...operands.map((meeting, i) => extras[i][extraAt[meeting](to, column)])]);
  };
  const second = Float64Array.from({ length: c.length }, () => sentinel);

  const after = Float64Array.from(c);
  let largest = 0;
  for (const [part, z] of Array.from({ length: parts }, (_, part) => zs.map((z) => [part, z] as const)).flat()) {
    const last = part === parts - 1;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let [sum, size] = [0, 0];
        for (let t = part * terms; t < (last ? k : (part + 1) * terms); t++) {
          const term = scale * a[aAt(z) + (ta ? t * lda + i : i * lda + t)] * b[bAt(z) + (tb ? j * ldb + t : t * ldb + j)];
          sum += term;
          size += Math.abs(term);
        }
        for (let t = 0; last && shape.lowRank && t < r; t++) {
          const term = p[i * r + t] * q[tb ? j * r + t : t * n + j];
          sum += term;
          size += Math.abs(term);
        }
        if (shape.bias) sum += bias[j];
        const to = placeOf(cAt(z) + i * ldc + j, part);
        const [value, other] = finished(sum, to, j);
        after[to] = value + (shape.add ? c[to] : 0);
        second[to] = other;
        largest = Math.max(largest, size);
      }
    }
  }
  const dims = matmulDims(shape, scale);
  const tolerance = { absolute: 4e-7 + 3e-8 * Math.sqrt(k + r) * (1 + largest), relative: types.c === undefined ? 0 : 2 ** -11 };
  const other = updates(new Float32Array(c.length).fill(sentinel), second, tolerance);
  const operands = [
    reads(aStored),
    reads(bStored),
    updates(cStored, after, tolerance),
    shape.bias ? reads(bias) : undefined,
    shape.lowRank ? reads(pStored) : undefined,
    shape.lowRank ? reads(qStored) : undefined,
    ...(shape.epilogue === undefined ? [] : epilogueBindings(shape.epilogue, other, extras.map(reads))),
  ];
  return { shape, one: { dims, operands } };
};

/** Asserts that values are near their reference. */
const near = (name: string, values: ArrayLike<number>, { initial, reference = [], tolerance: { absolute = 0, relative = 0 } = {} }: Operand): void => {
  for (let i = 0; i < initial.length; i++) {
    const allowed = absolute + relative * Math.abs(reference[i]);
    if (!(Math.abs(values[i] - reference[i]) <= allowed)) assert.unreachable(`${name}: element ${i} is ${values[i]} instead of ${reference[i]}`);
  }
};

/** Runs plans on one problem: near the reference, nothing else touched, and the same bits from all of them. */
export const checkPlans = async (device: Device, problem: Problem, plans: readonly MatmulPlan[]): Promise<void> => {
  let before: { readonly name: string; readonly bytes: readonly Uint8Array[] } | undefined;
  const written = problem.one.operands.flatMap((operand, i) => (operand?.reference === undefined ? [] : [[i, operand] as const]));
  for (const plan of plans) {
    const name = nameOf({ ...problem.one, ...plan });
    const results = await dispatch(device, { ...problem.one, ...plan });
    const bytes = written.map(([i]) => results[i]!);
    written.forEach(([i, operand]) => near(`${name}, binding ${i + 1}`, valuesOf(operand.initial, results[i]!), operand));
    if (before === undefined) before = { name, bytes };
    else before.bytes.forEach((one, i) => assert.ok(sameBytes(one, bytes[i]), `${name}: other bits than ${before!.name}`));
  }
};

/** The best guess of each kind of plan. */
export const kinds = (plans: readonly MatmulPlan[]): readonly MatmulPlan[] => {
  const kind = ({ kernel, constants }: MatmulPlan): string => `${kernel} ${constants.BROADCAST} ${constants.SWAP}`;
  return [...new Map([...plans].reverse().map((plan) => [kind(plan), plan])).values()];
};
