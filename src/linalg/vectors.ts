/** Vectors of R^n, in f64. */

/** aᵀ b, in four sums: one would wait for every addition. */
export const dot = (a: Float64Array, b: Float64Array): number => {
  const n = a.length;
  let [s0, s1, s2, s3] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < n; i += 4) {
    s0 += a[i] * b[i];
    s1 += a[i + 1] * b[i + 1];
    s2 += a[i + 2] * b[i + 2];
    s3 += a[i + 3] * b[i + 3];
  }
  for (; i < n; i++) s0 += a[i] * b[i];
  return s0 + s1 + (s2 + s3);
};

/** x ← x / |x|; the length that x had. Zero stays zero. */
export const normalise = (x: Float64Array): number => {
  const length = Math.sqrt(dot(x, x));
  if (length > 0) for (let i = 0; i < x.length; i++) x[i] /= length;
  return length;
};

/** Takes the directions of orthonormal columns out of x, one after another: a pass of modified Gram-Schmidt. */
export const removeSpan = (x: Float64Array, columns: readonly Float64Array[]): void => {
  for (const q of columns) {
    const c = dot(q, x);
    for (let i = 0; i < x.length; i++) x[i] -= c * q[i];
  }
};
