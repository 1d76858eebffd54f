/** Feature subspaces that grow until they hold a share of the features' energy. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { checkEnergy, checkMatrix, type Matrix } from "./check.ts";
import { eigh } from "./eigh.ts";
import { energy as energyOf } from "./energy.ts";
import type { Basis } from "./orthonormal.ts";
import { outside } from "./outside.ts";
import { transpose } from "./products.ts";

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
      const residual = outside(square(transpose(outside(gram, basis).data, d, d)), basis).data;
      const total = energyOf(gram);
      const before = total > 0 ? Math.min(1, 1 - energyOf(square(residual)) / total) : 1;
      if (before >= energy) return E.right({ basis, added: 0, captured: before });
      const room = d - basis.columns.length;
      const width = (values: Float64Array): number => {
        let captured = before;
        let k = 0;
        for (; captured < energy && k < room && values[k] > rounding * total; k++) captured += values[k] / total;
        return k;
      };
      return pipe(
        eigh(square(residual), width),
        E.map(({ values, vectors }) => ({
          basis: { d, columns: [...basis.columns, ...vectors.map((v) => new Float32Array(v))] },
          added: vectors.length,
          captured: values.subarray(0, vectors.length).reduce((sum, value) => sum + value / total, before),
        })),
      );
    }),
  );
