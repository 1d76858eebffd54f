/** Losses without labels, of views of one image: what is trained at test time. */
import { crossEntropy } from "../tensor/ops/crossEntropy.ts";
import { affine, log, mul, scale, sub } from "../tensor/ops/elementwise.ts";
import { mean, sum, sumRows } from "../tensor/ops/reduce.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import { detach, reshape, type Tensor } from "../tensor/tensor.ts";
import { objective, type Objective, type OutputNeed } from "./objective.ts";

/** The entropy of every row's softmax: logits [rows, classes] → [rows]. */
export const entropies = (logits: Tensor): Tensor => crossEntropy(logits, softmax(logits));

/** The mean of the rows' softmax: [rows, classes] → [1, classes]. */
const meanPrediction = (logits: Tensor): Tensor => {
  const [rows, classes] = logits.shape;
  return reshape(scale(sumRows(softmax(logits)), 1 / rows), [1, classes]);
};

/** Keeps the logarithm of a class that no view is taken for finite. */
const least = 1e-30;

/**
 * The entropy of the mean prediction of a batch's images: small where all are taken for one class (MEMO, arXiv 2110.09506; LoRA-TTT, METHODS.md H).
 *
 * ```ts
 * const both = objective.sum(objective.meanEntropy, objective.weighted(0.5, objective.maskedReconstruction(0.75)));
 * assert.equal(both.name, "sum(meanEntropy, 0.5 · maskedReconstruction)");
 * ```
 */
export const meanEntropy: Objective = objective("meanEntropy", ({ logits }) => {
  const p = meanPrediction(logits);
  return scale(sum(mul(p, log(affine(p, 1, least)))), -1);
});

/**
 * Class tokens of images with patches hidden against those of the whole images, which are constant: the mean square, divided by the share that is hidden.
 *
 * ```ts
 * assert.deepEqual(objective.maskedReconstruction(0.75).terms[0].outputs, ["classTokens", "maskedClassTokens"]);
 * ```
 */
export const maskedReconstruction = (hidden: number): Objective<OutputNeed<"classTokens" | "maskedClassTokens">> =>
  objective(
    "maskedReconstruction",
    ({ outputs }) => {
      const off = sub(outputs.maskedClassTokens, detach(outputs.classTokens));
      return scale(mean(mul(off, off)), 1 / hidden);
    },
    ["classTokens", "maskedClassTokens"],
  );
