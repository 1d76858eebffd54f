/** Matrices and checks for the tests of linear algebra. */
import type * as E from "fp-ts/lib/Either.js";
import * as assert from "uvu/assert";
import { describe, type Failure } from "../../src/failure.ts";
import type { Matrix } from "../../src/linalg/check.ts";
import { random } from "../../src/random.ts";
import { failureOf } from "../tensor/check.ts";

export type Column = Float32Array | Float64Array;

/** Normal numbers in f64 [m, n]. */
export const gaussian = (m: number, n: number, seed: number): Matrix => {
  const draw = random(seed, "gaussian");
  return { shape: [m, n], data: Float64Array.from({ length: m * n }, draw.normal) };
};

export const at = ({ shape: [, n], data }: Matrix, i: number, j: number): number => data[i * n + j];

export const matrix = (m: number, n: number, element: (i: number, j: number) => number): Matrix => ({
  shape: [m, n],
  data: Float64Array.from({ length: m * n }, (_, at) => element(Math.floor(at / n), at % n)),
});

export const transposed = (a: Matrix): Matrix => matrix(a.shape[1], a.shape[0], (i, j) => at(a, j, i));

export const inF32 = ({ shape, data }: Matrix): Matrix => ({ shape, data: new Float32Array(data) });

/** A B. */
export const product = (a: Matrix, b: Matrix): Matrix =>
  matrix(a.shape[0], b.shape[1], (i, j) => {
    let s = 0;
    for (let k = 0; k < a.shape[1]; k++) s += at(a, i, k) * at(b, k, j);
    return s;
  });

/** A x. */
export const times = ({ shape: [m, n], data }: Matrix, x: Column): Float64Array =>
  Float64Array.from({ length: m }, (_, i) => {
    let s = 0;
    for (let j = 0; j < n; j++) s += data[i * n + j] * x[j];
    return s;
  });

export const inner = (a: Column, b: Column): number => {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i] * b[i];
  return s;
};

/** Q diag(values) Qᵀ with a random orthogonal Q, a product of two reflections. */
export const withSpectrum = (values: readonly number[], seed: number): Matrix => {
  const n = values.length;
  const reflections = [1, 2].map((k) => {
    const { data: v } = gaussian(n, 1, 2 * seed + k);
    return matrix(n, n, (i, j) => (i === j ? 1 : 0) - (2 * v[i] * v[j]) / inner(v, v));
  });
  const q = product(reflections[0], reflections[1]);
  return product(
    product(
      q,
      matrix(n, n, (i, j) => (i === j ? values[i] : 0)),
    ),
    transposed(q),
  );
};

/** The matrix whose columns these are. */
export const besides = (columns: readonly Column[], d: number): Matrix => matrix(d, columns.length, (i, j) => columns[j][i]);

/** M Mᵀ. */
export const projector = (columns: readonly Column[], d: number): Matrix => product(besides(columns, d), transposed(besides(columns, d)));

export const largest = ({ data }: { readonly data: Column }): number => new Float64Array(data).reduce((most, x) => Math.max(most, Math.abs(x)), 0);

export const difference = (a: Matrix, b: Matrix): number => {
  assert.equal(a.shape, b.shape);
  return largest(matrix(a.shape[0], a.shape[1], (i, j) => at(a, i, j) - at(b, i, j)));
};

export const orthonormal = (columns: readonly Column[], tolerance: number): void =>
  columns.forEach((a, i) =>
    columns.slice(0, i + 1).forEach((b, j) => {
      const off = Math.abs(inner(a, b) - (i === j ? 1 : 0));
      assert.ok(off <= tolerance, `columns ${i} and ${j} are off by ${off}`);
    }),
  );

export const close = (actual: number, expected: number, tolerance: number, what = ""): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what} ${actual} is not within ${tolerance} of ${expected}`);

/** It is a failure, whose sentence matches. */
export const fails = (e: E.Either<Failure, unknown>, sentence: RegExp): void => assert.match(describe(failureOf(e)), sentence);
