/** Principal bases of weights and energy-driven bases of features: width, energy, and the laws of bases. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Matrix } from "../../src/linalg/check.ts";
import { extendByEnergy, extendByRows } from "../../src/linalg/extendByEnergy.ts";
import { emptyBasis, extend, matrixOf, type Basis } from "../../src/linalg/orthonormal.ts";
import { outside } from "../../src/linalg/outside.ts";
import { principal } from "../../src/linalg/principal.ts";
import { svd } from "../../src/linalg/svd.ts";
import { orThrow } from "../tensor/check.ts";
import { at, close, difference, fails, gaussian, inF32, inner, matrix, orthonormal, product, projector, times, transposed } from "./matrices.ts";

const sizes = fc.constantFrom(1, 2, 3, 5, 7, 13, 31);
const rowCounts = fc.constantFrom(1, 2, 5, 40);
const energies = fc.constantFrom(0.2, 0.5, 0.85, 0.99, 1);

const energyOf = ({ data }: Matrix): number => inner(data, data);

/** The share of the energy of rows [n, d] that lies in a basis of R^d. */
const share = (rows: Matrix, { columns }: Basis): number =>
  columns.reduce((sum, column) => sum + times(rows, column).reduce((s, x) => s + x * x, 0), 0) / energyOf(rows);

const without = ({ d, columns }: Basis): Basis => ({ d, columns: columns.slice(0, -1) });

// Bases -----------------------------------------------------------------------------------------------------------------------------------------

test("a basis takes 4 bytes a number, and its matrix has the columns side by side", () => {
  const basis = orThrow(principal(gaussian(31, 13, 1), { energy: 0.85 }));
  assert.is(
    basis.columns.reduce((bytes, column) => bytes + column.buffer.byteLength, 0),
    4 * 13 * basis.columns.length,
  );
  const { shape, data } = matrixOf(basis);
  assert.equal(shape, [13, basis.columns.length]);
  basis.columns.forEach((column, j) => column.forEach((x, i) => assert.is(data[i * shape[1] + j], x)));
});

test("extend: orthonormal, no wider than R^d, old columns first, and the span does not depend on the order", () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 9 }), fc.nat(1000), (d, k, seed) => {
      const { data } = gaussian(k, d, seed);
      const vectors = Array.from({ length: k }, (_, i) => data.slice(i * d, (i + 1) * d));
      const first = extend(emptyBasis(d), vectors.slice(0, 2));
      const basis = extend(first, vectors.slice(2));
      assert.is(basis.columns.length, Math.min(d, k));
      first.columns.forEach((column, j) => assert.is(basis.columns[j], column));
      orthonormal(basis.columns, 3e-7);
      const turned = extend(emptyBasis(d), [...vectors].reverse());
      // Beyond d vectors both are R^d; below, nearly dependent vectors would amplify the rounding to f32.
      if (2 * k <= d || k >= d + 3) assert.ok(difference(projector(basis.columns, d), projector(turned.columns, d)) < 1e-5);
    }),
    { numRuns: 60 },
  );
});

test("extend: what is in the span, zero or not finite adds nothing", () => {
  const basis = extend(emptyBasis(3), [
    [1, 2, 3],
    [3, 1, 0],
  ]);
  assert.equal(
    extend(basis, [
      [4, 3, 3],
      [0, 0, 0],
      [NaN, 1, 1],
      [Infinity, 0, 0],
    ]),
    basis,
  );
});

test("outside: nothing in the span, nothing lost beside it, and zero where the basis is all of R^d", () => {
  fc.assert(
    fc.property(sizes, sizes, fc.nat(40), fc.nat(1000), (d, n, k, seed) => {
      const known = gaussian(k, d, seed);
      const basis = extend(
        emptyBasis(d),
        Array.from({ length: k }, (_, i) => known.data.slice(i * d, (i + 1) * d)),
      );
      const x = gaussian(n, d, seed + 1);
      const rest = outside(x, basis);
      assert.equal(rest.shape, [n, d]);
      if (k >= d) assert.ok(rest.data.every((value) => value === 0));
      else {
        basis.columns.forEach((column) => times(rest, column).forEach((y) => close(y, 0, 1e-12 * d)));
        assert.ok(
          difference(
            rest,
            matrix(n, d, (i, j) => at(x, i, j) - at(product(x, projector(basis.columns, d)), i, j)),
          ) < 1e-5,
        );
      }
    }),
    { numRuns: 30 },
  );
});

test("outside of a nearly full basis are as many directions as it lacks", () => {
  const { data } = gaussian(64, 64, 1);
  const basis = extend(
    emptyBasis(64),
    Array.from({ length: 62 }, (_, i) => data.slice(i * 64, (i + 1) * 64)),
  );
  const { v } = orThrow(svd(outside(inF32(gaussian(31, 64, 2)), basis), 16));
  assert.is(v.length, 2);
  v.forEach((x) => basis.columns.forEach((column) => close(inner(x, column), 0, 1e-11)));
});

// Weights ---------------------------------------------------------------------------------------------------------------------------------------

test("principal: the smallest width that captures the energy, on either side", () => {
  fc.assert(
    fc.property(sizes, sizes, energies, fc.nat(1000), fc.constantFrom("input" as const, "output" as const), (m, n, energy, seed, side) => {
      const w = inF32(gaussian(m, n, seed));
      const basis = orThrow(principal(w, { energy, side }));
      const rows = side === "input" ? w : transposed(w);
      assert.is(basis.d, rows.shape[1]);
      assert.ok(basis.columns.length <= Math.min(m, n));
      orthonormal(basis.columns, 3e-7);
      assert.ok(share(rows, basis) >= energy - 1e-6, `${share(rows, basis)} of ${energy}`);
      assert.ok(share(rows, without(basis)) < energy + 1e-6, "one column fewer captures less");
    }),
    { numRuns: 60 },
  );
});

test("principal: the two ways of counting, by hand", () => {
  // Shares of the energy: 16/30, 9/30, 4/30, 1/30.
  const w = matrix(4, 5, (i, j) => (i === j ? 4 - i : 0));
  const width = (energy: number, counting?: "reach" | "below"): number => orThrow(principal(w, { energy, counting })).columns.length;
  assert.equal(
    [0.5, 0.6, 0.85, 0.99, 1].map((e) => width(e)),
    [1, 2, 3, 4, 4],
  );
  assert.equal(
    [0.5, 0.6, 0.85, 0.99, 1].map((e) => width(e, "below")),
    [1, 1, 2, 3, 3],
  );
});

test("principal: the directions are the singular vectors of the side", () => {
  const w = gaussian(13, 7, 5);
  const { u, v } = orThrow(svd(w, 7));
  for (const [side, vectors] of [
    ["input", v],
    ["output", u],
  ] as const) {
    const { columns } = orThrow(principal(w, { energy: 0.85, side }));
    columns.forEach((column, i) => close(Math.abs(inner(column, vectors[i])), 1, 1e-6));
  }
});

test("principal: rank-deficient, zero and one-column weights", () => {
  assert.is(orThrow(principal(product(gaussian(13, 2, 1), gaussian(2, 7, 2)), { energy: 1 })).columns.length, 2);
  for (const counting of ["reach", "below"] as const) {
    assert.equal(
      orThrow(
        principal(
          matrix(5, 3, () => 0),
          { energy: 0.85, counting },
        ),
      ),
      emptyBasis(3),
    );
    const { columns } = orThrow(
      principal(
        matrix(5, 1, (i) => i),
        { energy: 0.85, counting },
      ),
    );
    assert.equal(
      columns.map((column) => [...column].map(Math.abs)),
      [[1]],
    );
  }
});

// Features --------------------------------------------------------------------------------------------------------------------------------------

const gramOf = (rows: Matrix): Matrix => product(transposed(rows), rows);

test("extendByEnergy: reaches its energy with the fewest columns; old columns stay; never wider than R^d", () => {
  fc.assert(
    fc.property(sizes, rowCounts, fc.constantFrom(0.2, 0.85, 0.99), fc.nat(5), fc.boolean(), fc.nat(1000), (d, n, energy, k, single, seed) => {
      const features = gaussian(n, d, seed);
      const known = gaussian(k, d, seed + 1);
      const basis = extend(
        emptyBasis(d),
        Array.from({ length: k }, (_, i) => known.data.slice(i * d, (i + 1) * d)),
      );
      const gram = single ? inF32(gramOf(features)) : gramOf(features);
      const { basis: longer, added, captured } = orThrow(extendByEnergy(basis, gram, energy));
      assert.ok(longer.columns.length <= d);
      assert.is(added, longer.columns.length - basis.columns.length);
      basis.columns.forEach((column, j) => assert.is(longer.columns[j], column));
      orthonormal(longer.columns, 5e-7);
      close(captured, share(features, longer), 2e-6, "captured");
      assert.ok(captured >= energy);
      if (added > 0) assert.ok(share(features, without(longer)) < energy + 1e-6, "one column fewer captures less");
    }),
    { numRuns: 60 },
  );
});

test("extendByEnergy: what is already captured adds nothing", () => {
  const features = gaussian(40, 13, 1);
  const { basis } = orThrow(extendByEnergy(emptyBasis(13), gramOf(features), 0.85));
  const again = orThrow(extendByEnergy(basis, gramOf(features), 0.85 - 1e-6));
  assert.is(again.added, 0);
  assert.is(again.basis, basis);
});

test("extendByEnergy: all the energy of a rank is its width, and rounding adds no column", () => {
  for (const [d, rank] of [
    [31, 3],
    [64, 1],
    [13, 5],
  ]) {
    const features = product(gaussian(40, rank, 2), gaussian(rank, d, 3));
    for (const gram of [gramOf(features), inF32(gramOf(features))]) {
      const once = orThrow(extendByEnergy(emptyBasis(d), gram, 1));
      assert.is(once.added, rank);
      assert.is(orThrow(extendByEnergy(once.basis, gram, 1)).added, 0);
    }
  }
});

test("extendByEnergy: no energy, a full basis, one dimension", () => {
  const nothing = { shape: [7, 7], data: new Float32Array(49) };
  assert.equal(orThrow(extendByEnergy(emptyBasis(7), nothing, 0.99)), { basis: emptyBasis(7), added: 0, captured: 1 });
  const full = extend(
    emptyBasis(7),
    Array.from({ length: 7 }, (_, i) => Array.from({ length: 7 }, (_, j) => (i === j ? 1 : 0))),
  );
  assert.is(orThrow(extendByEnergy(full, gramOf(gaussian(9, 7, 1)), 1)).added, 0);
  assert.is(orThrow(extendByEnergy(emptyBasis(1), { shape: [1, 1], data: Float32Array.of(4) }, 0.99)).added, 1);
});

test("extendByEnergy: a dominant direction that is known does not hide the others", () => {
  const features = matrix(50, 16, (i, j) => (j === 0 ? 1e3 : 0) + at(gaussian(50, 16, 4), i, j));
  const first = orThrow(extendByEnergy(emptyBasis(16), gramOf(features), 0.99));
  assert.is(first.added, 1);
  const second = orThrow(extendByEnergy(first.basis, gramOf(features), 1));
  orthonormal(second.basis.columns, 5e-7);
  assert.is(second.basis.columns.length, 16);
});

test("extendByRows: as by the Gram matrix of the rows, on whichever side is smaller", () => {
  fc.assert(
    fc.property(sizes, rowCounts, fc.constantFrom(0.2, 0.85, 0.99), fc.nat(5), fc.nat(1000), (d, n, energy, k, seed) => {
      const rows = inF32(gaussian(n, d, seed));
      const known = gaussian(k, d, seed + 1);
      const basis = extend(
        emptyBasis(d),
        Array.from({ length: k }, (_, i) => known.data.slice(i * d, (i + 1) * d)),
      );
      const { basis: longer, added, captured } = orThrow(extendByRows(basis, rows, energy));
      const byGram = orThrow(extendByEnergy(basis, gramOf(rows), energy));
      assert.is(added, byGram.added);
      basis.columns.forEach((column, j) => assert.is(longer.columns[j], column));
      orthonormal(longer.columns, 1e-5);
      close(captured, byGram.captured, 2e-6, "captured");
      if (captured < 1 - 1e-6) assert.ok(difference(projector(longer.columns, d), projector(byGram.basis.columns, d)) < 1e-4);
    }),
    { numRuns: 60 },
  );
});

test("extendByRows: no energy, what is captured already, rows of another width", () => {
  assert.equal(orThrow(extendByRows(emptyBasis(7), { shape: [3, 7], data: new Float32Array(21) }, 0.99)), { basis: emptyBasis(7), added: 0, captured: 1 });
  const rows = gaussian(5, 13, 1);
  const { basis } = orThrow(extendByRows(emptyBasis(13), rows, 0.85));
  assert.is(orThrow(extendByRows(basis, rows, 0.85 - 1e-6)).basis, basis);
  fails(extendByRows(emptyBasis(3), gaussian(2, 2, 1), 0.99), /matrix \[2, 2\] .* rows are not in R\^3/);
});

// Failures --------------------------------------------------------------------------------------------------------------------------------------

test("what cannot be decomposed fails with a sentence", () => {
  const broken = { shape: [2, 2], data: Float32Array.of(1, 0, 0, NaN) };
  fails(principal(broken, { energy: 0.85 }), /^The matrix \[2, 2\] cannot be decomposed: its element \(1, 1\) is NaN$/);
  fails(principal({ shape: [8], data: new Float32Array(8) }, { energy: 0.85 }), /two dimensions/);
  fails(extendByEnergy(emptyBasis(2), broken, 0.99), /element \(1, 1\) is NaN/);
  fails(extendByEnergy(emptyBasis(3), gaussian(2, 2, 1), 0.99), /matrix \[2, 2\] .* features in R\^3/);
  for (const energy of [0, -1, 1.01, NaN]) {
    fails(principal(gaussian(2, 2, 1), { energy }), /^energy: .* is not a share in \(0, 1\]$/);
    fails(extendByEnergy(emptyBasis(2), gaussian(2, 2, 1), energy), /^energy: /);
  }
});

test.run();
