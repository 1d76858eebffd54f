/** k-means clusters of points (Lloyd, 1982; seeded as by Arthur and Vassilvitskii, 2007), in f64. */
import type { Random } from "../random.ts";
import type { Matrix } from "./check.ts";

/** Points in clusters, each of which has at least one. */
export interface Clusters {
  /** [clusters, d], row-major: the means of their points. */
  readonly centres: Float64Array;
  /** The number of every point's cluster. */
  readonly of: Uint32Array;
  /** The sum over points of the squared distance to the mean of their cluster. */
  readonly inertia: number;
}

/** Options of {@link kMeans}. */
export interface KMeansOptions {
  /** How often it starts anew; the clusters of the least inertia are taken. Default 10. */
  readonly starts?: number;
  /** The most iterations of a start. Default 300. */
  readonly iterations?: number;
}

const squaredDistance = (points: Matrix["data"], i: number, centres: Float64Array, j: number, d: number): number => {
  let sum = 0;
  for (let k = 0; k < d; k++) sum += (points[i * d + k] - centres[j * d + k]) ** 2;
  return sum;
};

/** The mean of every cluster's points. */
const meansOf = ({ shape: [n, d], data }: Matrix, of: Uint32Array, k: number): Float64Array => {
  const [means, counts] = [new Float64Array(k * d), new Uint32Array(k)];
  for (let i = 0; i < n; i++) {
    counts[of[i]]++;
    for (let c = 0; c < d; c++) means[of[i] * d + c] += data[i * d + c];
  }
  for (let j = 0; j < k; j++) for (let c = 0; c < d; c++) means[j * d + c] /= counts[j];
  return means;
};

/** Gives every cluster without a point that which is farthest from its own mean, of a cluster with others. There must be as many points as clusters. */
const withoutEmpty = (of: Uint32Array, distances: Float64Array, k: number): Uint32Array => {
  const counts = new Uint32Array(k);
  for (const cluster of of) counts[cluster]++;
  if (counts.every((count) => count > 0)) return of;
  const filled = of.slice();
  for (let empty = 0; empty < k; empty++) {
    if (counts[empty] > 0) continue;
    let farthest = -1;
    filled.forEach((cluster, i) => {
      if (counts[cluster] > 1 && (farthest < 0 || distances[i] > distances[farthest])) farthest = i;
    });
    counts[filled[farthest]]--;
    counts[empty]++;
    filled[farthest] = empty;
  }
  return filled;
};

/** The nearest centre of every point, which stays with its own (at first that of number 0) where no other is nearer; and its squared distance to it. */
const nearest = ({ shape: [n, d], data }: Matrix, centres: Float64Array, own: Uint32Array): { readonly of: Uint32Array; readonly distances: Float64Array } => {
  const [of, distances] = [own.slice(), new Float64Array(n)];
  const k = centres.length / d;
  for (let i = 0; i < n; i++) {
    distances[i] = squaredDistance(data, i, centres, of[i], d);
    for (let j = 0; j < k; j++) {
      const distance = squaredDistance(data, i, centres, j, d);
      if (distance < distances[i]) [of[i], distances[i]] = [j, distance];
    }
  }
  return { of, distances };
};

/**
 * Lloyd's iteration from given centres [k, d]: points go to their nearest centre, and centres to the mean of their points, until no point moves. A cluster that
 * loses all its points gets the one that is farthest from its mean. There must be at least k points.
 */
export const lloyd = (points: Matrix, start: Float64Array, iterations = 300): Clusters => {
  const [n, d] = points.shape;
  const k = start.length / d;
  let { of, distances } = nearest(points, start, new Uint32Array(n));
  of = withoutEmpty(of, distances, k);
  let centres = meansOf(points, of, k);
  for (let i = 0; i < iterations; i++) {
    const next = nearest(points, centres, of);
    const moved = withoutEmpty(next.of, next.distances, k);
    ({ distances } = next);
    if (moved.every((cluster, p) => cluster === of[p])) break;
    of = moved;
    centres = meansOf(points, of, k);
  }
  let inertia = 0;
  for (let i = 0; i < n; i++) inertia += squaredDistance(points.data, i, centres, of[i], d);
  return { centres, of, inertia };
};

/** Points as first centres: one at random, each other with a probability that grows with its squared distance to those before. Fewer where points are equal. */
const seeded = ({ shape: [n, d], data }: Matrix, k: number, draw: Random): Float64Array => {
  const centres: number[] = [];
  const distances = new Float64Array(n).fill(1);
  while (centres.length < k) {
    const total = distances.reduce((sum, x) => sum + x, 0);
    if (total === 0) break;
    let [left, chosen] = [draw.uniform() * total, -1];
    for (let i = 0; i < n && left >= 0; i++) {
      if (distances[i] === 0) continue;
      left -= distances[i];
      chosen = i;
    }
    centres.push(chosen);
    const centre = Float64Array.from(data.subarray(chosen * d, (chosen + 1) * d));
    for (let i = 0; i < n; i++) distances[i] = Math.min(centres.length === 1 ? Infinity : distances[i], squaredDistance(data, i, centre, 0, d));
  }
  return Float64Array.from(centres.flatMap((i) => [...data.subarray(i * d, (i + 1) * d)]));
};

/**
 * At most k clusters of the rows of a matrix [n, d], or as many as there are different rows: the best of several starts, which are drawn. The same draws give
 * the same bits.
 *
 * ```ts
 * const points = { shape: [4, 1], data: Float32Array.of(0, 9, 1, 8) } as const;
 * const { centres, inertia } = linalg.kMeans(points, 2, random(1, "clusters"));
 * assert.deepEqual([[...centres].sort(), inertia], [[0.5, 8.5], 1]);
 * ```
 */
export const kMeans = (points: Matrix, k: number, draw: Random, { starts = 10, iterations = 300 }: KMeansOptions = {}): Clusters => {
  let best = lloyd(points, seeded(points, k, draw), iterations);
  for (let start = 1; start < starts; start++) {
    const other = lloyd(points, seeded(points, k, draw), iterations);
    if (other.inertia < best.inertia) best = other;
  }
  return best;
};
