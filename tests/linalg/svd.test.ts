/** Leading singular triplets against W itself. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Matrix } from "../../src/linalg/check.ts";
import { svd } from "../../src/linalg/svd.ts";
import { orThrow } from "../tensor/check.ts";
import {
  at,
  besides,
  close,
  difference,
  fails,
  gaussian,
  inF32,
  inner,
  largest,
  matrix,
  orthonormal,
  product,
  times,
  transposed,
  withSpectrum,
} from "./matrices.ts";

/** Σ s u vᵀ. */
const rebuilt = (w: Matrix, rank: number): Matrix => {
  const { u, s, v } = orThrow(svd(w, rank));
  const scaled = u.map((column, i) => column.map((x) => x * s[i]));
  return product(besides(scaled, w.shape[0]), transposed(besides(v, w.shape[1])));
};

const sizes = fc.constantFrom(1, 2, 3, 5, 7, 13, 31, 64);

test("all triplets give the matrix back", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(1000), (m, n, seed) => {
      const w = inF32(gaussian(m, n, seed));
      const { u, s, v } = orThrow(svd(w, Math.min(m, n)));
      orthonormal(u, 1e-10);
      orthonormal(v, 1e-10);
      assert.ok(difference(rebuilt(w, Math.min(m, n)), w) < 1e-9 * (s[0] || 1));
      v.forEach((x, i) => times(w, x).forEach((y, j) => close(y, s[i] * u[i][j], 1e-9 * s[0])));
    }),
    { numRuns: 40 },
  );
});

test("leading triplets are the best approximation of their rank: |Uᵀ W|² is the sum of their s²", () => {
  for (const [m, n] of [
    [31, 13],
    [13, 31],
    [17, 17],
  ]) {
    const w = gaussian(m, n, m);
    const { u, s } = orThrow(svd(w, 4));
    assert.is(s.length, 4);
    const all = orThrow(svd(w, 13)).s;
    s.forEach((x, i) => close(x, all[i], 1e-12));
    const captured = u.reduce((sum, column) => sum + times(transposed(w), column).reduce((t, x) => t + x * x, 0), 0);
    close(
      captured,
      s.reduce((sum, x) => sum + x * x, 0),
      1e-9,
    );
    const rest = matrix(m, n, (i, j) => at(w, i, j) - at(rebuilt(w, 4), i, j));
    close(orThrow(svd(rest, 1)).s[0], all[4], 1e-9);
  }
});

test("fewer directions than asked for where the matrix has fewer", () => {
  const of = (w: Matrix): number => orThrow(svd(w, 5)).s.length;
  assert.is(of(matrix(9, 6, () => 0)), 0);
  const thin = product(gaussian(64, 2, 1), gaussian(2, 31, 2));
  assert.is(of(thin), 2);
  assert.is(of(inF32(thin)), 2, "the rounding to f32 is no direction");
  assert.is(of(matrix(9, 6, (i, j) => (i + 1) * (j + 1))), 1);
  assert.is(of(matrix(9, 1, (i) => i)), 1);
  assert.is(of(matrix(1, 9, (_, j) => j)), 1);
  assert.is(of({ shape: [0, 4], data: new Float32Array() }), 0);
  assert.is(of({ shape: [4, 0], data: new Float32Array() }), 0);
});

test("one column and one row", () => {
  const { u, s, v } = orThrow(svd({ shape: [2, 1], data: Float32Array.of(3, 4) }, 3));
  close(s[0], 5, 1e-14);
  assert.ok(inner(u[0], Float64Array.of(0.6, 0.8)) * v[0][0] > 1 - 1e-14);
});

test("an ill-conditioned matrix: values to 1e-7 of the largest, triplets orthonormal", () => {
  const spectrum = Array.from({ length: 24 }, (_, i) => 10 ** (-i / 4));
  const w = withSpectrum(spectrum, 9);
  const { u, s, v } = orThrow(svd(w, 24));
  s.forEach((x, i) => close(x, spectrum[i], 1e-7));
  orthonormal(u, 1e-10);
  orthonormal(v, 1e-10);
  assert.ok(difference(rebuilt(w, 24), w) < 1e-7 * largest(w));
});

test("the scale does not matter, over the range of f32", () => {
  const w = gaussian(7, 5, 3);
  const { s } = orThrow(svd(w, 5));
  for (const scale of [1e35, 1e-35]) {
    const scaled = orThrow(svd({ shape: w.shape, data: w.data.map((x) => x * scale) as Float64Array }, 5)).s;
    assert.is(scaled.length, 5);
    scaled.forEach((x, i) => close(x / scale, s[i], 1e-12));
  }
});

test("what is no finite matrix fails with a sentence", () => {
  fails(svd({ shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, Infinity, 6) }, 1), /matrix \[2, 3\] .* element \(1, 1\) is Infinity/);
  fails(svd({ shape: [2, 3], data: new Float32Array(5) }, 1), /5 elements and not 6/);
  fails(svd({ shape: [2, 3, 1], data: new Float32Array(6) }, 1), /two dimensions/);
});

test.run();
