/** Singular value decomposition by the Gram matrix of the smaller side. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { checkMatrix, type Matrix } from "./check.ts";
import { eigh } from "./eigh.ts";
import { stacked, timesTransposed, transpose } from "./products.ts";
import { normalise, removeSpan } from "./vectors.ts";

/** The side of a weight [out, in] that singular vectors are of: right ones lie in R^in, left ones in R^out. */
export type Side = "input" | "output";

/** Singular triplets, the largest first: W ≈ Σ s[i] u[i] v[i]ᵀ, u of m elements, v of n. */
export interface Svd {
  readonly u: readonly Float64Array[];
  readonly s: Float64Array;
  readonly v: readonly Float64Array[];
}

const opposite = (side: Side): Side => (side === "input" ? "output" : "input");

/** The matrix with the given side as its rows, in f64. */
const facing = ({ shape: [m, n], data }: Matrix, side: Side): Float64Array => (side === "output" ? new Float64Array(data) : transpose(data, m, n));

interface Half {
  /** All min(m, n) singular values or more, descending; 0 below what the Gram matrix resolves. */
  readonly s: Float64Array;
  readonly vectors: readonly Float64Array[];
}

/** The first `count(s)` singular vectors of one side, by the Gram matrix of that side. */
const half = (w: Matrix, side: Side, count: (s: Float64Array) => number): E.Either<Failure, Half> => {
  const [m, n] = w.shape;
  const [d, other] = side === "output" ? [m, n] : [n, m];
  const rows = facing(w, side);
  const singular = (values: Float64Array): Float64Array => values.map((value) => (value > 2 ** -52 * Math.max(m, n) * values[0] ? Math.sqrt(value) : 0));
  return pipe(
    eigh({ shape: [d, d], data: timesTransposed(rows, rows, d, d, other, true) }, (values) => count(singular(values))),
    E.map(({ values, vectors }) => ({ s: singular(values), vectors })),
  );
};

/** From singular vectors of one side to those of the other: W or Wᵀ times them, orthonormalised. */
const across = (w: Matrix, side: Side, vectors: readonly Float64Array[]): readonly Float64Array[] => {
  const [m, n] = w.shape;
  const [d, other] = side === "output" ? [m, n] : [n, m];
  const images = timesTransposed(stacked(vectors, d), facing(w, opposite(side)), vectors.length, other, d);
  return vectors.reduce<readonly Float64Array[]>((done, _, i) => {
    const image = images.slice(i * other, (i + 1) * other);
    removeSpan(image, done);
    removeSpan(image, done);
    normalise(image);
    return [...done, image];
  }, []);
};

const smaller = ({ shape: [m, n] }: Matrix, ifSquare: Side): Side => (m === n ? ifSquare : m < n ? "output" : "input");

/** The number of singular values that are not 0. */
export const rankOf = (s: Float64Array): number => s.filter((x) => x > 0).length;

/**
 * The first `count(s)` singular vectors of one side of W [m, n], where s are its singular values, descending. Fails as {@link svd} does.
 */
export const singularVectors = (w: Matrix, side: Side, count: (s: Float64Array) => number): E.Either<Failure, readonly Float64Array[]> =>
  pipe(
    checkMatrix(w),
    E.chain(() => half(w, smaller(w, side), count)),
    E.map(({ vectors }) => (smaller(w, side) === side ? vectors : across(w, opposite(side), vectors))),
  );

/**
 * The first `rank` singular triplets of W [m, n], or fewer: singular values below about √(2⁻⁵² max(m, n)) of the largest (4e-7 for 768) are
 * rounding of the Gram matrix and of f32, and are left out, so that a zero matrix has none. u and v are orthonormal to 1e-11. `BadMatrix`
 * where W is not a matrix or not finite.
 *
 * ```ts
 * const one = linalg.svd({ shape: [2, 3], data: Float32Array.of(0, 3, 0, 0, 4, 0) }, 2);
 * assert.deepEqual(one._tag === "Right" && [...one.right.s], [5]);
 * ```
 */
export const svd = (w: Matrix, rank: number): E.Either<Failure, Svd> => {
  const side = smaller(w, "input");
  return pipe(
    checkMatrix(w),
    E.chain(() => half(w, side, (s) => Math.min(rank, rankOf(s)))),
    E.map(({ s, vectors }) => {
      const partners = across(w, side, vectors);
      const [u, v] = side === "output" ? [vectors, partners] : [partners, vectors];
      return { u, s: s.slice(0, vectors.length), v };
    }),
  );
};
