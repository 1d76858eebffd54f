/** Subspaces that grow until they hold a share of the energy of features, or of the rows of a matrix. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { checkEnergy, checkMatrix, type Matrix } from "./check.ts";
import { eigh } from "./eigh.ts";
import { energy as energyOf } from "./energy.ts";
import type { Basis } from "./orthonormal.ts";
import { outside } from "./outside.ts";
import { transpose } from "./products.ts";
import { singularVectors } from "./svd.ts";

/** A basis after an extension. */
export interface Extension {
  /** The columns that there were, unchanged, and the new ones after them. */
  readonly basis: Basis;
  readonly added: number;
  /** The share of the energy in the span of the basis; 1 where there is no energy. */
  readonly captured: number;
}

/** Directions with less than this share of the energy are rounding of f32 bases and features. */
const rounding = 2 ** -24;

/** What is outside of a basis. */
interface Residual {
  /** The energy of all, and of what is outside. */
  readonly total: number;
  readonly left: number;
  /** The leading directions outside; their energies, which descend, say how many. */
  readonly leading: (count: (energies: Float64Array) => number) => E.Either<Failure, readonly Float64Array[]>;
}

const extendedBy = (basis: Basis, energy: number, { total, left, leading }: Residual): E.Either<Failure, Extension> => {
  const { d, columns } = basis;
  let captured = total > 0 ? Math.min(1, 1 - left / total) : 1;
  if (captured >= energy) return E.right({ basis, added: 0, captured });
  const room = d - columns.length;
  const width = (energies: Float64Array): number => {
    let k = 0;
    for (; captured < energy && k < room && energies[k] > rounding * total; k++) captured += energies[k] / total;
    return k;
  };
  return pipe(
    leading(width),
    E.map((vectors) => ({ basis: { d, columns: [...columns, ...vectors.map((v) => new Float32Array(v))] }, added: vectors.length, captured })),
  );
};

/**
 * The basis M, longer by the leading eigenvectors of the residual (I - M Mᵀ) C (I - M Mᵀ) until M holds a share `energy` of tr C, or until
 * nothing but rounding is left; C [d, d] is the Gram matrix Σ x xᵀ of features (gradient projection memory, arXiv 2103.09762). Never wider than d;
 * C = 0 adds nothing. `BadMatrix` where C has another shape or is not finite, `BadOption` where the energy is not in (0, 1].
 *
 * ```ts
 * const gram = { shape: [2, 2], data: Float32Array.of(9, 0, 0, 1) };
 * const grown = linalg.extendByEnergy(linalg.emptyBasis(2), gram, 0.85);
 * assert.deepEqual(grown._tag === "Right" && [grown.right.added, grown.right.captured], [1, 0.9]);
 * ```
 */
export const extendByEnergy = (basis: Basis, gram: Matrix, energy: number): E.Either<Failure, Extension> =>
  pipe(
    checkEnergy(energy),
    E.chain(() => checkMatrix(gram)),
    E.filterOrElse(
      ([m, n]) => m === basis.d && n === basis.d,
      ([m, n]): Failure => ({ _tag: "BadMatrix", what: `matrix [${m}, ${n}]`, detail: `it is not a Gram matrix of features in R^${basis.d}` }),
    ),
    E.chain(([d]) => {
      const square = (data: Float64Array): Matrix => ({ shape: [d, d], data });
      const residual = square(outside(square(transpose(outside(gram, basis).data, d, d)), basis).data);
      const leading: Residual["leading"] = (count) => E.map(({ vectors }: { readonly vectors: readonly Float64Array[] }) => vectors)(eigh(residual, count));
      return extendedBy(basis, energy, { total: energyOf(gram), left: energyOf(residual), leading });
    }),
  );

const squares = (values: Float32Array | Float64Array): number => {
  let sum = 0;
  for (const x of values) sum += x * x;
  return sum;
};

/**
 * The same for the rows of X [n, d], whose Gram matrix is Xᵀ X: M grows by the leading right singular vectors of X - X M Mᵀ. Where X has fewer rows than
 * columns, as gradients of weights may, it is decomposed on its smaller side. Fails as {@link extendByEnergy} does.
 *
 * ```ts
 * const rows = { shape: [2, 3], data: Float32Array.of(3, 0, 0, 0, 1, 0) };
 * const grown = linalg.extendByRows(linalg.emptyBasis(3), rows, 0.85);
 * assert.deepEqual(grown._tag === "Right" && [grown.right.added, grown.right.captured], [1, 0.9]);
 * ```
 */
export const extendByRows = (basis: Basis, rows: Matrix, energy: number): E.Either<Failure, Extension> =>
  pipe(
    checkEnergy(energy),
    E.chain(() => checkMatrix(rows)),
    E.filterOrElse(
      ([, n]) => n === basis.d,
      ([m, n]): Failure => ({ _tag: "BadMatrix", what: `matrix [${m}, ${n}]`, detail: `its rows are not in R^${basis.d}` }),
    ),
    E.chain(() => {
      const residual = outside(rows, basis);
      const leading: Residual["leading"] = (count) => singularVectors(residual, "input", (s) => count(s.map((x) => x * x)));
      return extendedBy(basis, energy, { total: squares(rows.data), left: squares(residual.data), leading });
    }),
  );
