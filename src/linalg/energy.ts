/** Energies of features by their Gram matrix. */
import type { Matrix } from "./check.ts";

/** The energy of features with the Gram matrix C = Σ x xᵀ [d, d]: its trace. */
export const energy = ({ shape: [d], data }: Matrix): number => {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += data[i * d + i];
  return sum;
};

/**
 * The share of the energy of C = Σ x xᵀ [d, d] that lies in the span of orthonormal columns Ψ: tr(Ψᵀ C Ψ) / tr C; 0 where there is no energy.
 *
 * ```ts
 * const gram = { shape: [2, 2], data: Float32Array.of(3, 0, 0, 1) };
 * assert.equal(linalg.energyShare(gram, [Float32Array.of(1, 0)]), 0.75);
 * ```
 */
export const energyShare = (gram: Matrix, columns: readonly Float32Array[]): number => {
  const d = gram.shape[0];
  const inside = columns.reduce((sum, c) => {
    for (let i = 0; i < d; i++) for (let j = 0; j < d; j++) sum += c[i] * gram.data[i * d + j] * c[j];
    return sum;
  }, 0);
  return inside / (energy(gram) || 1);
};
