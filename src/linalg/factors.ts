/** Matrices of low rank as products. */
import { dot } from "./vectors.ts";

/** A matrix [rows, columns] as B A: B [rows, rank], and A [rank, columns], whose rows are orthonormal but for their rounding to f32. */
export interface Product {
  readonly rank: number;
  readonly B: Float64Array;
  readonly A: Float32Array;
}

/** What sums and differences of squares may be off by, of the largest of them. */
const rounding = 2 ** -44;
/** From here on a length that was found by differences has lost digits that matter. */
const doubtful = 2 ** -26;

/** The row that is the longest of those longer than what they are allowed; -1 where there is none. */
const longest = (squares: Float64Array, tolerance: Float64Array): number => {
  let best = -1;
  squares.forEach((square, i) => {
    if (square > tolerance[i] ** 2 && (best < 0 || square > squares[best])) best = i;
  });
  return best;
};

/**
 * A matrix [rows, columns] as a product of the rank that it has beyond a tolerance, a length for each row: Gram-Schmidt with pivoting in f64. Of the rows that
 * are longer than what they are allowed the longest gives the next direction, which is taken out of all. What is left of row i when it ends is at most
 * `tolerance[i]` long; as each direction is rounded to f32 before it is taken out, B A with that A is as near.
 *
 * Rows stay as they are, and their lengths are carried along, as in LAPACK's dgeqp3: each direction costs one inner product a row.
 */
export const lowRankProduct = (matrix: Float64Array, rows: number, columns: number, tolerance: Float64Array): Product => {
  const row = Array.from({ length: rows }, (_, i) => matrix.subarray(i * columns, (i + 1) * columns));
  const directions: Float64Array[] = [];
  const duals: Float64Array[] = [];
  /** Of each direction, what rows have of it. */
  const parts: Float64Array[] = [];
  const left = (i: number): Float64Array => {
    const rest = row[i].slice();
    directions.forEach((direction, k) => {
      const part = parts[k][i];
      for (let j = 0; j < columns; j++) rest[j] -= part * direction[j];
    });
    return rest;
  };
  const squares = Float64Array.from(row, (r) => dot(r, r));
  const measured = squares.slice();
  for (let pivot = longest(squares, tolerance); pivot >= 0 && directions.length < Math.min(rows, columns); pivot = longest(squares, tolerance)) {
    const rest = left(pivot);
    const length = Math.sqrt(dot(rest, rest));
    if (length === 0) {
      squares[pivot] = 0;
      continue;
    }
    const direction = rest.map((x) => Math.fround(x / length));
    const square = dot(direction, direction);
    // What a row has left along the direction is an inner product with the row itself: directions are orthogonal but for their rounding, which comes off here.
    const dual = direction.slice();
    directions.forEach((earlier, k) => {
      const overlap = dot(earlier, direction);
      for (let j = 0; j < columns; j++) dual[j] -= overlap * duals[k][j];
    });
    for (let j = 0; j < columns; j++) dual[j] /= square;
    const part = new Float64Array(rows);
    for (let i = 0; i < rows; i++) if (measured[i] > 0) part[i] = dot(row[i], dual);
    duals.push(dual);
    directions.push(direction);
    parts.push(part);
    for (let i = 0; i < rows; i++) {
      squares[i] = Math.max(0, squares[i] - part[i] ** 2 * square);
      if (squares[i] >= doubtful * measured[i] || squares[i] + rounding * measured[i] <= tolerance[i] ** 2) continue;
      const now = left(i);
      squares[i] = measured[i] = dot(now, now);
    }
  }
  const rank = directions.length;
  const A = new Float32Array(rank * columns);
  directions.forEach((direction, k) => A.set(direction, k * columns));
  return { rank, B: Float64Array.from({ length: rows * rank }, (_, i) => parts[i % rank][Math.floor(i / rank)]), A };
};
