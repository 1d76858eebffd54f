/**
 * Random numbers that are drawn from (seed, purpose, counters), never from a global.
 *
 * ```ts
 * const draw = random(8, "augment", step, position);
 * draw.uniform(); draw.normal(); draw.integer(10); draw.permutation(5);
 * ```
 *
 * The triple is hashed (SHA-256 of its JSON) into the state of a xoroshiro128+ generator, so streams of different purposes or steps
 * are independent, any of them can be reached without drawing those before it, and Node and Deno draw the same numbers.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

const encoder = new TextEncoder();

/** One stream of random numbers: every call draws the next. */
export interface Random {
  /** The next number of U[0, 1), with 53 random bits. */
  readonly uniform: () => number;
  /** The next number of N(0, 1), rounded to f32. */
  readonly normal: () => number;
  /** The next integer of 0 .. n-1, unbiased; `n` from 1 to 2^32. */
  readonly integer: (n: number) => number;
  /** A uniformly drawn order of 0 .. n-1 (Fisher-Yates). */
  readonly permutation: (n: number) => Uint32Array;
}

/**
 * The stream of `purpose` at `counters` (step, sample, ...) for `seed`; equal arguments give equal streams, everywhere.
 *
 * ```ts
 * const first = random(8, "augment", 3, 0).permutation(5);
 * assert.deepEqual(random(8, "augment", 3, 0).permutation(5), first);
 * assert.notDeepEqual(random(8, "augment", 4, 0).permutation(5), first);
 * ```
 */
export const random = (seed: number, purpose: string, ...counters: readonly number[]): Random => {
  const hash = sha256(encoder.encode(JSON.stringify([seed, purpose, ...counters])));
  const words = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  const generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => words.getInt32(at, true)));
  const uniform = (): number => uniformFloat64(generator);
  const integer = (n: number): number => uniformInt(generator, 0, n - 1);
  let spare: number | undefined;
  return {
    uniform,
    integer,
    // Marsaglia's polar method: it needs no sine or cosine, whose last bit differs between versions of V8; the rounding to f32
    // hides what is left of that in the logarithm.
    normal: () => {
      if (spare !== undefined) {
        const kept = spare;
        spare = undefined;
        return kept;
      }
      for (;;) {
        const u = 2 * uniform() - 1;
        const v = 2 * uniform() - 1;
        const s = u * u + v * v;
        if (s > 0 && s < 1) {
          const scale = Math.sqrt((-2 * Math.log(s)) / s);
          spare = Math.fround(v * scale);
          return Math.fround(u * scale);
        }
      }
    },
    permutation: (n) => {
      const order = Uint32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = integer(i + 1);
        [order[i], order[j]] = [order[j], order[i]];
      }
      return order;
    },
  };
};
