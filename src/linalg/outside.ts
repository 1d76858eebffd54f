/** What lies outside of a subspace. */
import type { Matrix } from "./check.ts";
import type { Basis } from "./orthonormal.ts";
import { stacked, timesTransposed, transpose } from "./products.ts";

/**
 * X − X M Mᵀ for the rows of X [n, d] and orthonormal columns M [d, k]: the rows without what lies in the span of the basis, in f64.
 *
 * ```ts
 * const basis = linalg.extend(linalg.emptyBasis(2), [[1, 0]]);
 * assert.deepEqual([...linalg.outside({ shape: [1, 2], data: Float32Array.of(3, 4) }, basis).data], [0, 4]);
 * ```
 */
export const outside = ({ shape: [n, d], data }: Matrix, { columns }: Basis): { readonly shape: readonly [number, number]; readonly data: Float64Array } => {
  const x = Float64Array.from(data);
  const k = columns.length;
  const rows = stacked(columns, d);
  const inside = timesTransposed(timesTransposed(x, rows, n, k, d), transpose(rows, k, d), n, d, k);
  return { shape: [n, d], data: x.map((value, i) => value - inside[i]) };
};
