/** Principal subspaces of weights. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import { checkEnergy, type Matrix } from "./check.ts";
import type { Basis } from "./orthonormal.ts";
import { rankOf, singularVectors, type Side } from "./svd.ts";

/** How much of a weight a principal basis holds. */
export interface PrincipalOptions {
  /** The share ε of Σ σ² that is to be captured, in (0, 1]. */
  readonly energy: number;
  /** Right singular vectors in R^in (the paper of KeepLoRA; the default), or left ones in R^out (its code for MTIL). */
  readonly side?: Side;
  /** The smallest width that captures at least ε (the paper; the default), or the number of widths that capture less, at least 1 (the code). */
  readonly counting?: "reach" | "below";
}

/**
 * The principal singular directions of a weight [out, in] that capture a share of its energy (KeepLoRA, arXiv 2601.19659). A weight of zeros has none.
 * `BadMatrix` where the weight is not a matrix or not finite, `BadOption` where the energy is not in (0, 1].
 *
 * ```ts
 * const weight = { shape: [2, 3], data: Float32Array.of(3, 0, 0, 0, 0, 1) };
 * const basis = linalg.principal(weight, { energy: 0.85 });
 * assert.deepEqual(basis._tag === "Right" && basis.right.columns.map((column) => [...column].map(Math.abs)), [[1, 0, 0]]);
 * ```
 */
export const principal = (w: Matrix, { energy, side = "input", counting = "reach" }: PrincipalOptions): E.Either<Failure, Basis> => {
  const width = (s: Float64Array): number => {
    const total = s.reduce((sum, x) => sum + x * x, 0);
    let captured = 0;
    const below = s.filter((x) => (captured += x * x) < energy * total).length;
    return Math.min(rankOf(s), counting === "reach" ? below + 1 : Math.max(below, 1));
  };
  return pipe(
    checkEnergy(energy),
    E.chain(() => singularVectors(w, side, width)),
    E.map((vectors) => ({ d: side === "input" ? w.shape[1] : w.shape[0], columns: vectors.map((v) => new Float32Array(v)) })),
  );
};
