/** Matrices of low rank as products. */

/** A matrix [rows, columns] as B A: B [rows, rank], and A [rank, columns], whose rows are orthonormal but for their rounding to f32. */
export interface Product {
  readonly rank: number;
  readonly B: Float64Array;
  readonly A: Float32Array;
}

const longest = (lengths: Float64Array, least: Float64Array): number => {
  let best = -1;
  lengths.forEach((length, i) => {
    if (length > least[i] && (best < 0 || length > lengths[best])) best = i;
  });
  return best;
};

/**
 * A matrix [rows, columns] as a product of the rank that it has beyond a tolerance, a length for each row: Gram-Schmidt with pivoting in f64. Of the rows that
 * are longer than what they are allowed the longest gives the next direction, which is taken out of all. What is left of row i when it ends is at most
 * `tolerance[i]` long; as each direction is rounded to f32 before it is taken out, B A with that A is as near.
 */
export const lowRankProduct = (matrix: Float64Array, rows: number, columns: number, tolerance: Float64Array): Product => {
  const rest = matrix.slice();
  const lengths = new Float64Array(rows);
  const measure = (row: number): void => {
    let sum = 0;
    for (let j = row * columns, end = j + columns; j < end; j++) sum += rest[j] * rest[j];
    lengths[row] = Math.sqrt(sum);
  };
  for (let row = 0; row < rows; row++) measure(row);
  const directions: Float32Array[] = [];
  const parts: Float64Array[] = [];
  for (let pivot = longest(lengths, tolerance); pivot >= 0 && directions.length < Math.min(rows, columns); pivot = longest(lengths, tolerance)) {
    const direction = Float32Array.from(rest.subarray(pivot * columns, (pivot + 1) * columns), (x) => x / lengths[pivot]);
    const square = direction.reduce((sum, x) => sum + x * x, 0);
    const part = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      if (lengths[row] === 0) continue;
      let along = 0;
      for (let j = 0, at = row * columns; j < columns; j++) along += rest[at + j] * direction[j];
      part[row] = along / square;
      for (let j = 0, at = row * columns; j < columns; j++) rest[at + j] -= part[row] * direction[j];
      measure(row);
    }
    directions.push(direction);
    parts.push(part);
  }
  const rank = directions.length;
  const A = new Float32Array(rank * columns);
  directions.forEach((direction, k) => A.set(direction, k * columns));
  return { rank, B: Float64Array.from({ length: rows * rank }, (_, i) => parts[i % rank][Math.floor(i / rank)]), A };
};
