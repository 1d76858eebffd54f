/** Householder's reduction of a symmetric matrix to a tridiagonal one, and the way back for vectors. */

/** T = Qᵀ A Q: `diagonal` [n], `off` [n - 1], and Q as its reflectors I - u uᵀ / h: u of reflector i is the start of row i of `rows`. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  readonly off: Float64Array;
  readonly rows: Float64Array;
  readonly h: Float64Array;
}

/**
 * Applies a reflector, A ← A - u qᵀ - q uᵀ, to the leading m x m block of the lower triangle, and computes y = A v, which the next reflector needs, in the
 * same walk over the memory.
 */
const updateAndMultiply = (a: Float64Array, n: number, m: number, u: Float64Array, q: Float64Array, v: Float64Array, y: Float64Array): void => {
  y.fill(0, 0, m);
  const first = m & 1;
  if (first === 1) {
    a[0] -= 2 * u[0] * q[0];
    y[0] = a[0] * v[0];
  }
  for (let r = first; r < m; r += 2) {
    const [u0, u1, q0, q1, v0, v1] = [u[r], u[r + 1], q[r], q[r + 1], v[r], v[r + 1]];
    const [row0, row1] = [r * n, (r + 1) * n];
    let [s0, s1] = [0, 0];
    for (let j = 0; j < r; j++) {
      const uj = u[j];
      const qj = q[j];
      const vj = v[j];
      const x0 = a[row0 + j] - u0 * qj - q0 * uj;
      const x1 = a[row1 + j] - u1 * qj - q1 * uj;
      a[row0 + j] = x0;
      a[row1 + j] = x1;
      s0 += x0 * vj;
      s1 += x1 * vj;
      y[j] += x0 * v0 + x1 * v1;
    }
    const corner = (a[row1 + r] -= u1 * q0 + q1 * u0);
    y[r] = s0 + (a[row0 + r] -= 2 * u0 * q0) * v0 + corner * v1;
    y[r + 1] = s1 + corner * v0 + (a[row1 + r + 1] -= 2 * u1 * q1) * v1;
  }
};

/** A column whose squared length is below this counts as zero: beside elements of about 1 it is nothing, and squaring it would lose digits to underflow. */
const negligible = 2 ** -200;

/**
 * Reduces a symmetric n x n matrix, of which only the lower triangle is read, with elements of at most about 1. The matrix becomes `rows`
 * of the result: it is not usable afterwards.
 */
export const tridiagonalise = (a: Float64Array, n: number): Tridiagonal => {
  const [diagonal, off, h] = [new Float64Array(n), new Float64Array(Math.max(0, n - 1)), new Float64Array(n)];
  let [u, q, v, y] = Array.from({ length: 4 }, () => new Float64Array(n));
  for (let i = n - 1; i >= 0; i--) {
    const row = a.subarray(i * n, i * n + i + 1);
    for (let j = 0; j <= i; j++) row[j] -= u[i] * q[j] + q[i] * u[j];
    diagonal[i] = row[i];
    if (i === 0) break;
    let rest = 0;
    for (let j = 0; j < i - 1; j++) rest += row[j] * row[j];
    const last = row[i - 1];
    off[i - 1] = last;
    if (rest < negligible) row.fill(0, 0, i);
    else {
      const length = Math.sqrt(rest + last * last);
      off[i - 1] = last > 0 ? -length : length;
      h[i] = length * (length + Math.abs(last));
      row[i - 1] = last - off[i - 1];
    }
    v.set(row.subarray(0, i));
    updateAndMultiply(a, n, i, u, q, v, y);
    if (h[i] > 0) {
      let vy = 0;
      for (let j = 0; j < i; j++) vy += v[j] * y[j];
      const k = vy / (2 * h[i] * h[i]);
      for (let j = 0; j < i; j++) y[j] = y[j] / h[i] - k * v[j];
    }
    [u, v, q, y] = [v, u, y, q];
  }
  return { diagonal, off, rows: a, h };
};

/** Turns vectors of T into vectors of A, in place: z ← Q z. Four at a time, so that a reflector is read once for all of them. */
export const fromTridiagonal = ({ rows, h }: Tridiagonal, vectors: readonly Float64Array[]): void => {
  const n = h.length;
  const spare = new Float64Array(n);
  for (let at = 0; at < vectors.length; at += 4) {
    const [z0, z1, z2, z3] = [0, 1, 2, 3].map((k) => vectors[at + k] ?? spare);
    for (let i = 1; i < n; i++) {
      if (h[i] === 0) continue;
      const row = i * n;
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let j = 0; j < i; j++) {
        const x = rows[row + j];
        s0 += x * z0[j];
        s1 += x * z1[j];
        s2 += x * z2[j];
        s3 += x * z3[j];
      }
      s0 /= h[i];
      s1 /= h[i];
      s2 /= h[i];
      s3 /= h[i];
      for (let j = 0; j < i; j++) {
        const x = rows[row + j];
        z0[j] -= s0 * x;
        z1[j] -= s1 * x;
        z2[j] -= s2 * x;
        z3[j] -= s3 * x;
      }
    }
  }
};
