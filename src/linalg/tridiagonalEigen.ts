/** Eigenvalues and eigenvectors of symmetric tridiagonal matrices, in f64. */
import { random } from "../random.ts";
import { normalise, removeSpan } from "./vectors.ts";
import type { Tridiagonal } from "./tridiagonal.ts";

/** A part of the matrix that nothing couples to the rest: `start` is its first row. */
interface Block {
  readonly start: number;
  readonly diagonal: Float64Array;
  readonly off: Float64Array;
  /** Its largest row sum, which no eigenvalue exceeds. */
  readonly norm: number;
}

/** An eigenvalue, and the block that it belongs to. */
export interface Eigenvalue {
  readonly value: number;
  readonly block: Block;
}

const precision = 2 ** -52;

const normOf = (diagonal: Float64Array, off: Float64Array): number =>
  diagonal.reduce((most, x, i) => Math.max(most, Math.abs(x) + Math.abs(off[i - 1] ?? 0) + Math.abs(off[i] ?? 0)), 0);

/** The blocks of T: it is cut where an element beside the diagonal is rounding. */
const blocksOf = ({ diagonal, off }: Tridiagonal): readonly Block[] => {
  const least = precision * normOf(diagonal, off);
  const blocks: Block[] = [];
  for (let start = 0; start < diagonal.length; ) {
    let end = start;
    while (end < off.length && Math.abs(off[end]) > least) end++;
    const [d, e] = [diagonal.subarray(start, end + 1), off.subarray(start, end)];
    blocks.push({ start, diagonal: d, off: e, norm: normOf(d, e) });
    start = end + 1;
  }
  return blocks;
};

/**
 * The eigenvalues of a block by the implicit QL algorithm. Its shift makes it converge for every symmetric tridiagonal matrix (Wilkinson, 1968), so
 * nothing counts the sweeps.
 */
const valuesOf = ({ diagonal, off, norm }: Block): Float64Array => {
  const d = diagonal.slice();
  const e = new Float64Array(d.length);
  e.set(off);
  for (let l = 0; l < d.length; l++) {
    for (;;) {
      let m = l;
      while (m < d.length - 1 && Math.abs(e[m]) > precision * norm) m++;
      if (m === l) break;
      let g = (d[l + 1] - d[l]) / (2 * e[l]);
      const root = Math.sqrt(g * g + 1);
      g = d[m] - d[l] + e[l] / (g + (g < 0 ? -root : root));
      let [s, c, p] = [1, 1, 0];
      for (let i = m - 1; i >= l; i--) {
        const f = s * e[i];
        const b = c * e[i];
        const r = Math.sqrt(f * f + g * g);
        e[i + 1] = r;
        s = r === 0 ? 0 : f / r;
        c = r === 0 ? 1 : g / r;
        g = d[i + 1] - p;
        const t = (d[i] - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
      }
      d[l] -= p;
      e[l] = g;
      e[m] = 0;
    }
  }
  return d;
};

/** All eigenvalues of T, descending. */
export const eigenvalues = (matrix: Tridiagonal): readonly Eigenvalue[] =>
  blocksOf(matrix)
    .flatMap((block) => Array.from(valuesOf(block), (value) => ({ value, block })))
    .sort((a, b) => b.value - a.value);

/**
 * x ← (T - shift)⁻¹ x, by Gaussian elimination with partial pivoting; a last pivot of 0 is taken for rounding, so that x is long where it should
 * be infinite.
 */
const solver = ({ diagonal, off, norm }: Block, shift: number): ((x: Float64Array) => void) => {
  const n = diagonal.length;
  const [pivot, factor, first, second] = [diagonal.map((x) => x - shift), off.slice(), off.slice(), new Float64Array(n)];
  const swapped = new Uint8Array(n);
  for (let i = 0; i < n - 1; i++) {
    if (Math.abs(pivot[i]) >= Math.abs(off[i])) {
      factor[i] = off[i] / pivot[i];
      pivot[i + 1] -= factor[i] * first[i];
    } else {
      factor[i] = pivot[i] / off[i];
      pivot[i] = off[i];
      const above = first[i];
      first[i] = pivot[i + 1];
      pivot[i + 1] = above - factor[i] * first[i];
      if (i < n - 2) {
        second[i] = first[i + 1];
        first[i + 1] *= -factor[i];
      }
      swapped[i] = 1;
    }
  }
  if (Math.abs(pivot[n - 1]) <= precision * norm) pivot[n - 1] = precision * norm || 1;
  return (x) => {
    for (let i = 0; i < n - 1; i++) {
      const [top, below] = swapped[i] === 1 ? [x[i + 1], x[i]] : [x[i], x[i + 1]];
      x[i] = top;
      x[i + 1] = below - factor[i] * top;
    }
    x[n - 1] /= pivot[n - 1];
    if (n > 1) x[n - 2] = (x[n - 2] - first[n - 2] * x[n - 1]) / pivot[n - 2];
    for (let i = n - 3; i >= 0; i--) x[i] = (x[i] - first[i] * x[i + 1] - second[i] * x[i + 2]) / pivot[i];
  };
};

/** Eigenvalues of a block that are closer than this share of its norm count as one cluster: inverse iteration does not separate their vectors to 1e-11. */
const close = 1e-4;

/**
 * Unit eigenvectors [n] of the given eigenvalues, which descend, by inverse iteration from random vectors. Those of one block whose eigenvalues are
 * close are made orthogonal to one another; those of different blocks have no element in common.
 */
export const eigenvectors = ({ diagonal }: Tridiagonal, values: readonly Eigenvalue[]): readonly Float64Array[] => {
  const draw = random(0, "inverse iteration");
  const done = new Map<Block, { readonly value: number; readonly vector: Float64Array }[]>();
  return values.map(({ value, block }) => {
    const whole = new Float64Array(diagonal.length);
    const vector = whole.subarray(block.start, block.start + block.diagonal.length);
    const before = done.get(block) ?? [];
    const near = before.filter((other) => other.value - value < close * block.norm).map((other) => other.vector);
    const solve = solver(block, value);
    for (let i = 0; i < vector.length; i++) vector[i] = draw.uniform() - 0.5;
    for (let round = 0; round < 3; round++) {
      solve(vector);
      normalise(vector);
      removeSpan(vector, near);
      normalise(vector);
    }
    before.push({ value, vector });
    done.set(block, before);
    return whole;
  });
};
