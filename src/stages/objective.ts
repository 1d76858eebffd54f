/** Losses of image-text matching, as functions of encoded batches. */
import { add, exp, mul, scale as scaled } from "../tensor/ops/elementwise.ts";
import { crossEntropy } from "../tensor/ops/crossEntropy.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { sum as total } from "../tensor/ops/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Encoded } from "./trainee.ts";

/** A loss with a name: one number from an encoded batch. */
export interface Objective {
  readonly name: string;
  readonly terms: readonly { readonly name: string; readonly loss: (e: Encoded) => Tensor }[];
}

const objective = (name: string, loss: (e: Encoded) => Tensor): Objective => ({ name, terms: [{ name, loss }] });

/** Mean over images of the cross-entropy of exp(logit scale) · cos(image, text) over the texts of the batch (CoDyRA's L_i, METHODS.md A.3). */
export const imageToText: Objective = objective("imageToText", ({ images, texts, logitScale, targets, batch }) =>
  total(crossEntropy(mul(matmul(images, texts, { tb: true }), exp(logitScale)), targets), 1 / batch.images),
);

/**
 * Cross-entropy of every text over the images of the batch, with the targets as they are (multi-hot, not normalised), divided by the number of
 * all texts, those of earlier tasks included (CoDyRA's L_t, METHODS.md A.3). Texts of earlier tasks have no target in the batch, so
 * their rows are 0 and need not be computed.
 */
export const textToImage: Objective = objective("textToImage", ({ images, texts, logitScale, transposedTargets, batch }) =>
  total(crossEntropy(mul(matmul(texts, images, { tb: true }), exp(logitScale)), transposedTargets), 1 / (batch.texts + batch.previous)),
);

/**
 * The sum of objectives; each is recorded under its name.
 *
 * ```ts
 * assert.equal(sum(imageToText, weighted(0.5, textToImage)).name, "sum(imageToText, 0.5 · textToImage)");
 * ```
 */
export const sum = (...objectives: readonly Objective[]): Objective => ({
  name: `sum(${objectives.map((o) => o.name).join(", ")})`,
  terms: objectives.flatMap((o) => o.terms),
});

/** An objective times a factor. */
export const weighted = (factor: number, o: Objective): Objective => ({
  name: `${factor} · ${o.name}`,
  terms: o.terms.map(({ name, loss }) => ({ name, loss: (e) => scaled(loss(e), factor) })),
});

/** The sum of all terms of an objective, and each by name. */
export const evaluateObjective = ({ terms }: Objective, e: Encoded): { readonly loss: Tensor; readonly terms: readonly (readonly [string, Tensor])[] } => {
  const values = terms.map(({ name, loss }) => [name, loss(e)] as const);
  return { terms: values, loss: values.map(([, t]) => t).reduce(add) };
};
