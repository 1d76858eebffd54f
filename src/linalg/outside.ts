/** Rows without their part in a subspace. */
import type { Matrix } from "./check.ts";
import type { Basis } from "./orthonormal.ts";
import { stacked, timesTransposed, transpose } from "./products.ts";
import { dot } from "./vectors.ts";

/** A row of which less than this share is left lies in the subspace: what is left is rounding of the products in f64. */
const rounding = 2 ** -40;

/**
 * X − X M Mᵀ for the rows of X [n, d] and orthonormal columns M [d, k]: the rows without what lies in the span of the basis, in f64. A row inside of it
 * becomes 0, so that nothing is left outside of a basis of the whole space.
 *
 * The columns are rounded to f32, so M Mᵀ is a projection to 1e-7 only; with (Mᵀ M)⁻¹ ≈ 2I − Mᵀ M between its factors it is one to 1e-14.
 *
 * ```ts
 * const basis = linalg.extend(linalg.emptyBasis(2), [[1, 0]]);
 * assert.deepEqual([...linalg.outside({ shape: [1, 2], data: Float32Array.of(3, 4) }, basis).data], [0, 4]);
 * ```
 */
export const outside = ({ shape: [n, d], data }: Matrix, { columns }: Basis): { readonly shape: readonly [number, number]; readonly data: Float64Array } => {
  const x = new Float64Array(data);
  const k = columns.length;
  const basis = stacked(columns, d);
  const along = timesTransposed(x, basis, n, k, d);
  const excess = timesTransposed(along, timesTransposed(basis, basis, k, k, d), n, k, k);
  const inside = timesTransposed(
    along.map((y, i) => 2 * y - excess[i]),
    transpose(basis, k, d),
    n,
    d,
    k,
  );
  const rest = x.map((value, i) => value - inside[i]);
  for (let i = 0; i < n; i++) {
    const [before, after] = [x, rest].map((rows) => rows.subarray(i * d, (i + 1) * d));
    if (dot(after, after) <= rounding * rounding * dot(before, before)) after.fill(0);
  }
  return { shape: [n, d], data: rest };
};
