/** Losses of image-text matching, as functions of encoded batches. */
import { add, constant, scale as scaled } from "../tensor/ops/elementwise.ts";
import { crossEntropy } from "../tensor/ops/crossEntropy.ts";
import { sum as total } from "../tensor/ops/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Encoded } from "./trainee.ts";

/** A loss with a name: one number from an encoded batch; `N` names the groups that an adapter must have for it. */
export interface Objective<N extends string = never> {
  readonly name: string;
  readonly terms: readonly { readonly name: string; readonly loss: (e: Encoded) => Tensor }[];
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/** An objective of one term. */
export const objective = <N extends string = never>(name: string, loss: (e: Encoded) => Tensor): Objective<N> => ({ name, terms: [{ name, loss }] });

/**
 * Mean over images of the cross-entropy of their logits, exp(logit scale) · cos(image, text) for a CLIP, over the texts of the batch (CoDyRA's L_i,
 * METHODS.md A.3; the local cross-entropy of METHODS.md B.3.4 and D.3).
 */
export const imageToText: Objective = objective("imageToText", ({ logits, targets, batch }) => total(crossEntropy(logits, targets), 1 / batch.images));

/**
 * Cross-entropy of every text over the images of the batch, with the targets as they are (multi-hot, not normalised), divided by the number of
 * all texts, those of earlier tasks included (CoDyRA's L_t, METHODS.md A.3). Texts of earlier tasks have no target in the batch, so
 * their rows are 0 and need not be computed. 0 for a model without a text tower.
 */
export const textToImage: Objective = objective("textToImage", ({ transposedLogits, transposedTargets, batch }) =>
  transposedLogits === undefined ? constant(0, []) : total(crossEntropy(transposedLogits, transposedTargets), 1 / (batch.texts + batch.previous)),
);

/** The needs of objectives. */
type NeedsOf<O> = O extends Objective<infer N> ? N : never;

/**
 * The sum of objectives; each is recorded under its name.
 *
 * ```ts
 * assert.equal(sum(imageToText, weighted(0.5, textToImage)).name, "sum(imageToText, 0.5 · textToImage)");
 * ```
 */
export const sum = <O extends readonly Objective<any>[]>(...objectives: O): Objective<NeedsOf<O[number]>> => ({
  name: `sum(${objectives.map((o) => o.name).join(", ")})`,
  terms: objectives.flatMap((o) => o.terms),
});

/** An objective times a factor. */
export const weighted = <N extends string>(factor: number, o: Objective<N>): Objective<N> => ({
  name: `${factor} · ${o.name}`,
  terms: o.terms.map(({ name, loss }) => ({ name, loss: (e) => scaled(loss(e), factor) })),
});

/**
 * The mean of both directions (CLIP's own loss; with the soft targets of {@link encode}'s texts per image DAC's task loss, METHODS.md C.3.1).
 */
export const contrastive: Objective = { ...sum(weighted(0.5, imageToText), weighted(0.5, textToImage)), name: "contrastive" };

/** The sum of all terms of an objective, and each by name. */
export const evaluateObjective = ({ terms }: Objective<any>, e: Encoded): { readonly loss: Tensor; readonly terms: readonly (readonly [string, Tensor])[] } => {
  const values = terms.map(({ name, loss }) => [name, loss(e)] as const);
  return { terms: values, loss: values.map(([, t]) => t).reduce(add) };
};
