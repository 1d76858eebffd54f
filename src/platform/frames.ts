/** The frames of a video: which of all there are are taken. */

/** One of some frames that are taken evenly from an animation: the one at `index`, counted from 0, of `of`. */
export interface Frame {
  readonly index: number;
  readonly of: number;
}

/**
 * The positions of `k` frames among `n`, evenly apart and ascending: the first is the first of all, the last the last. A single one is that in the middle.
 * They are distinct where `n >= k`; else some come twice. None where there are none.
 *
 * ```ts
 * assert.deepEqual(data.framesOf(16, 4), [0, 5, 10, 15]);
 * assert.deepEqual(data.framesOf(2, 4), [0, 0, 0, 1]);
 * assert.deepEqual(data.framesOf(9, 1), [4]);
 * ```
 */
export const framesOf = (n: number, k: number): readonly number[] => {
  if (n === 0) return [];
  if (k === 1) return [Math.floor((n - 1) / 2)];
  return Array.from({ length: k }, (_, i) => Math.floor((i * (n - 1)) / (k - 1)));
};
