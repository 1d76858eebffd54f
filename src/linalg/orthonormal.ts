/** Orthonormal bases: computed in f64, kept in f32. */
import { normalise, removeSpan } from "./vectors.ts";

/** Orthonormal columns of R^d, one after another: column j is `columns[j]`, of `d` elements. They take 4 d bytes each. */
export interface Basis {
  readonly d: number;
  readonly columns: readonly Float32Array[];
}

/** The basis of {0} in R^d. */
export const emptyBasis = (d: number): Basis => ({ d, columns: [] });

/**
 * The basis, longer by what the vectors add to its span: modified Gram-Schmidt, applied twice, which keeps it orthonormal to rounding
 * (Giraud, Langou, Rozložník, 2005). A vector whose new part is shorter than `tolerance` times itself adds nothing; one that is not finite adds nothing.
 *
 * ```ts
 * const basis = linalg.extend(linalg.emptyBasis(2), [[3, 0], [6, 0], [1, 1]]);
 * assert.deepEqual(basis.columns.map((column) => [...column]), [[1, 0], [0, 1]]);
 * ```
 */
export const extend = (basis: Basis, vectors: Iterable<ArrayLike<number>>, tolerance = 1e-6): Basis => {
  const columns = basis.columns.map((column) => new Float64Array(column));
  for (const vector of vectors) {
    if (columns.length === basis.d) break;
    const v = Float64Array.from(vector);
    const length = normalise(v);
    if (!Number.isFinite(length) || length === 0) continue;
    removeSpan(v, columns);
    removeSpan(v, columns);
    if (normalise(v) > tolerance) columns.push(v);
  }
  return { d: basis.d, columns: columns.map((column, j) => basis.columns[j] ?? new Float32Array(column)) };
};

/** The basis as a row-major [d, k] matrix, the form that kernels take. */
export const matrixOf = ({ d, columns }: Basis): { readonly shape: readonly [number, number]; readonly data: Float32Array } => {
  const k = columns.length;
  const data = new Float32Array(d * k);
  columns.forEach((column, j) => column.forEach((x, i) => (data[i * k + j] = x)));
  return { shape: [d, k], data };
};
