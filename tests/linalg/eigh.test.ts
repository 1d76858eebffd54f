/** Eigen-decompositions against A v = λ v, closed forms, and spectra that hurt. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Matrix } from "../../src/linalg/check.ts";
import { eigh } from "../../src/linalg/eigh.ts";
import { orThrow } from "../tensor/check.ts";
import {
  at,
  close,
  difference,
  fails,
  gaussian,
  inF32,
  largest,
  matrix,
  orthonormal,
  product,
  projector,
  times,
  transposed,
  withSpectrum,
} from "./matrices.ts";

/** Every pair solves A v = λ v, the vectors are orthonormal, the values descend and sum to the trace; to 1e-10 of the largest. */
const check = (a: Matrix, count?: number): Float64Array => {
  const n = a.shape[0];
  const { values, vectors } = orThrow(eigh(a, count === undefined ? undefined : () => count));
  const scale = largest(a) || 1;
  assert.is(values.length, n);
  assert.is(vectors.length, count ?? n);
  vectors.forEach((v, j) => {
    const image = times(a, v);
    image.forEach((x, i) => close(x / scale, (values[j] / scale) * v[i], 1e-11 * n + 1e-12, `pair ${j}:`));
  });
  orthonormal(vectors, 1e-10);
  values.forEach((x, i) => assert.ok(i === 0 || values[i - 1] >= x, `values ${i - 1} and ${i} do not descend`));
  const trace = values.map((_, i) => at(a, i, i) / scale).reduce((s, x) => s + x, 0);
  close(
    values.reduce((s, x) => s + x / scale, 0),
    trace,
    1e-12 * n,
    "trace",
  );
  return values;
};

const symmetric = (n: number, seed: number): Matrix => {
  const g = gaussian(n, n, seed);
  return matrix(n, n, (i, j) => at(g, i, j) + at(g, j, i));
};

const sizes = fc.constantFrom(1, 2, 3, 4, 5, 7, 13, 31, 64);

test("random matrices, f64 and f32", () => {
  fc.assert(
    fc.property(sizes, fc.nat(1000), fc.boolean(), (n, seed, single) => void check(single ? inF32(symmetric(n, seed)) : symmetric(n, seed))),
    { numRuns: 40 },
  );
});

test("only the vectors that are asked for, by a number or by the values", () => {
  check(symmetric(31, 1), 0);
  check(symmetric(31, 1), 5);
  const positive = orThrow(eigh(symmetric(31, 1), (values) => values.filter((x) => x > 0).length));
  assert.ok(positive.vectors.length > 5 && positive.vectors.length < 26);
  assert.ok(positive.values[positive.vectors.length - 1] > 0 && positive.values[positive.vectors.length] <= 0);
});

test("the upper triangle is not read", () => {
  const a = symmetric(9, 2);
  const lower = matrix(9, 9, (i, j) => (j <= i ? at(a, i, j) : 0));
  assert.equal(orThrow(eigh(lower)), orThrow(eigh(a)));
});

test("the second difference, whose eigenvalues are 2 - 2 cos(kπ / (n + 1))", () => {
  const n = 64;
  const values = check(matrix(n, n, (i, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0)));
  values.forEach((x, k) => close(x, 2 - 2 * Math.cos(((n - k) * Math.PI) / (n + 1)), 1e-13));
});

test("Wilkinson's matrix, whose eigenvalues come in pairs that agree to 14 digits", () => {
  const values = check(matrix(21, 21, (i, j) => (i === j ? Math.abs(i - 10) : Math.abs(i - j) === 1 ? 1 : 0)));
  close(values[0], 10.746194182903393, 1e-13);
  close(values[1], 10.746194182903322, 1e-13);
});

/** Blocks of Wilkinson's matrix, joined by elements of 1e-8: clusters of four eigenvalues that one tridiagonal block holds. */
test("glued blocks", () => {
  const element = (i: number, j: number): number =>
    i === j ? Math.abs((i % 21) - 10) : Math.abs(i - j) !== 1 ? 0 : Math.floor(i / 21) === Math.floor(j / 21) ? 1 : 1e-8;
  check(matrix(84, 84, element));
});

test("repeated eigenvalues: identity, projectors, two levels", () => {
  for (const n of [1, 2, 17, 64]) check(matrix(n, n, (i, j) => (i === j ? 3 : 0))).forEach((x) => assert.is(x, 3));
  for (const [n, k] of [
    [5, 1],
    [17, 8],
    [64, 63],
  ]) {
    const spectrum = Array.from({ length: n }, (_, i) => (i < k ? 1 : 0));
    const p = withSpectrum(spectrum, n);
    check(p).forEach((x, i) => close(x, spectrum[i], 1e-12));
    assert.ok(difference(projector(orThrow(eigh(p, () => k)).vectors, n), p) < 1e-10, "the eigenspace is the projector's");
  }
  check(
    withSpectrum(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? -2 : 2 + 1e-9 * i)),
      3,
    ),
  );
});

test("rank-deficient and graded spectra, over 30 orders of magnitude", () => {
  const thin = gaussian(31, 3, 4);
  check(product(thin, transposed(thin))).forEach((x, i) => assert.ok(i < 3 ? x > 1 : Math.abs(x) < 1e-12));
  const spectrum = Array.from({ length: 31 }, (_, i) => 10 ** -i);
  check(withSpectrum(spectrum, 5)).forEach((x, i) => close(x, spectrum[i], 1e-14));
});

test("zero, one element, none", () => {
  check(matrix(7, 7, () => 0)).forEach((x) => assert.is(x, 0));
  assert.equal(orThrow(eigh({ shape: [1, 1], data: Float32Array.of(-4) })), { values: Float64Array.of(-4), vectors: [Float64Array.of(1)] });
  assert.equal(orThrow(eigh({ shape: [0, 0], data: new Float32Array() })), { values: new Float64Array(), vectors: [] });
});

test("huge and tiny elements, down to those that are not normal numbers", () => {
  const plain = check(symmetric(13, 6));
  for (const scale of [2 ** 1000, 2 ** -900, 2 ** -1022]) {
    const a = symmetric(13, 6);
    const { values } = orThrow(eigh({ shape: a.shape, data: a.data.map((x) => x * scale) as Float64Array }));
    values.forEach((x, i) => close(x / scale, plain[i], 1e-12 * plain[0]));
  }
  check({ shape: [2, 2], data: Float64Array.of(0, 1e-310, 1e-310, 0) });
});

test("equal input, equal bits", () => assert.equal(orThrow(eigh(symmetric(31, 7))), orThrow(eigh(symmetric(31, 7)))));

test("what is no symmetric matrix fails with a sentence, and the input stays as it was", () => {
  fails(eigh(gaussian(2, 3, 1)), /^The matrix \[2, 3\] cannot be decomposed: it is not square$/);
  fails(eigh({ shape: [2, 2], data: new Float32Array(3) }), /matrix \[2, 2\] .* it has 3 elements and not 4/);
  fails(eigh({ shape: [4], data: new Float32Array(4) }), /matrix \[4\] .* two dimensions/);
  fails(eigh({ shape: [2, 2], data: Float32Array.of(1, 2, NaN, 1) }), /element \(1, 0\) is NaN/);
  fails(eigh({ shape: [2, 2], data: Float32Array.of(1, 2, 2, -Infinity) }), /element \(1, 1\) is -Infinity/);
  const a = symmetric(13, 8);
  const copy = a.data.slice();
  eigh(a);
  assert.equal(a.data, copy);
});

test.run();
