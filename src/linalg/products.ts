/** Products of dense row-major matrices, in f64. */

/**
 * A Bᵀ for A [m, k] and B [n, k]; with `lower` only i >= j is computed, the rest stays 0. Every element is one sum over ascending k.
 *
 * Four rows of A by two of B at a time, which is what the registers hold; a destructuring in the innermost loop would make lists of them. At the edges the
 * last row stands in for the missing ones: the same number is written again.
 */
export const timesTransposed = (a: Float64Array, b: Float64Array, m: number, n: number, k: number, lower = false): Float64Array => {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i += 4) {
    const [i1, i2, i3] = [Math.min(i + 1, m - 1), Math.min(i + 2, m - 1), Math.min(i + 3, m - 1)];
    const end = lower ? Math.min(n, i3 + 1) : n;
    for (let j = 0; j < end; j += 2) {
      const j1 = Math.min(j + 1, n - 1);
      let [a0, a1, a2, a3, b0, b1] = [i * k, i1 * k, i2 * k, i3 * k, j * k, j1 * k];
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      for (const stop = a0 + k; a0 < stop; ) {
        const x0 = b[b0++];
        const x1 = b[b1++];
        const y0 = a[a0++];
        const y1 = a[a1++];
        const y2 = a[a2++];
        const y3 = a[a3++];
        s00 += y0 * x0;
        s01 += y0 * x1;
        s10 += y1 * x0;
        s11 += y1 * x1;
        s20 += y2 * x0;
        s21 += y2 * x1;
        s30 += y3 * x0;
        s31 += y3 * x1;
      }
      out[i * n + j] = s00;
      out[i * n + j1] = s01;
      out[i1 * n + j] = s10;
      out[i1 * n + j1] = s11;
      out[i2 * n + j] = s20;
      out[i2 * n + j1] = s21;
      out[i3 * n + j] = s30;
      out[i3 * n + j1] = s31;
    }
  }
  return out;
};

/** The transpose [n, m] of a matrix [m, n], in f64. */
export const transpose = (a: Float32Array | Float64Array, m: number, n: number): Float64Array => {
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[j * m + i] = a[i * n + j];
  return out;
};

/** The matrix [k, n] whose rows are k vectors of n elements. */
export const stacked = (rows: readonly (Float32Array | Float64Array)[], n: number): Float64Array => {
  const out = new Float64Array(rows.length * n);
  rows.forEach((row, i) => out.set(row, i * n));
  return out;
};
