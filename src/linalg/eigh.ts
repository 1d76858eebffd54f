/** Eigen-decomposition of symmetric matrices. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { checkMatrix, type Matrix } from "./check.ts";
import { fromTridiagonal, tridiagonalise } from "./tridiagonal.ts";
import { eigenvalues, eigenvectors } from "./tridiagonalEigen.ts";

/** All eigenvalues, descending, and unit eigenvectors [n] of the first of them. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: readonly Float64Array[];
}

/**
 * The eigenvalues of a symmetric matrix [n, n], of which only the lower triangle is read, and the eigenvectors of the first `count(values)` ones (all, if
 * nothing is said). In f64: eigenvalues to rounding of the largest, eigenvectors orthonormal to 1e-11. `BadMatrix` where it is not square or not finite.
 *
 * Householder's tridiagonalisation, implicit QL without vectors, inverse iteration for the vectors that are asked for (Parlett, The Symmetric
 * Eigenvalue Problem, 1998).
 *
 * ```ts
 * const spectrum = linalg.eigh({ shape: [2, 2], data: Float32Array.of(2, 1, 1, 2) });
 * assert.deepEqual(spectrum._tag === "Right" && [...spectrum.right.values].map(Math.round), [3, 1]);
 * ```
 */
export const eigh = (matrix: Matrix, count: (values: Float64Array) => number = (values) => values.length): E.Either<Failure, Eigen> =>
  pipe(
    checkMatrix(matrix),
    E.filterOrElse(
      ([m, n]) => m === n,
      ([m, n]): Failure => ({ _tag: "BadMatrix", what: `matrix [${m}, ${n}]`, detail: "it is not square" }),
    ),
    E.map(([n]) => {
      const a = new Float64Array(matrix.data);
      const scale = a.reduce((most, x) => Math.max(most, Math.abs(x)), 0) || 1;
      const tridiagonal = tridiagonalise(
        a.map((x) => x / scale),
        n,
      );
      const spectrum = eigenvalues(tridiagonal);
      const values = Float64Array.from(spectrum, ({ value }) => value * scale);
      const vectors = eigenvectors(tridiagonal, spectrum.slice(0, count(values)));
      fromTridiagonal(tridiagonal, vectors);
      return { values, vectors };
    }),
  );
