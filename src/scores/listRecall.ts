/** How much of a list is found: MapQA's questions for states, and the science task of MLLM-DCL, which they are a part of. */
import { exactMatch, normalised } from "./exact.ts";
import { mean, meanOfBest, type Scoring } from "./scoring.ts";

const itemsOf = (text: string): readonly string[] =>
  normalised(text)
    .split(/[,;]| and /)
    .map((item) => item.trim().replace(/\.$/, ""))
    .filter((item) => item !== "");

const recall = (prediction: string, reference: string): number => {
  const [found, wanted] = [new Set(itemsOf(prediction)), [...new Set(itemsOf(reference))]];
  return wanted.length === 0 ? Number(found.size === 0) : mean(wanted.map((item) => (found.has(item) ? 1 : 0)));
};

/**
 * The mean share of a reference's list that the prediction's list has, whatever else that has; items are parted by commas, semicolons or "and".
 *
 * ```ts
 * assert.equal(listRecall(["Ohio and Utah"], [["Utah, Iowa"]]), 50);
 * ```
 */
export const listRecall: Scoring = meanOfBest(recall);

/**
 * The science task of MLLM-DCL: exact match, but list recall where the question asks "Which states".
 *
 * ```ts
 * assert.equal(science(["Utah", "b"], [["Utah, Iowa"], ["B"]], ["Which states are red?", "Which letter?"]), 75);
 * ```
 */
export const science: Scoring = meanOfBest((prediction, reference, source) =>
  /\bwhich states\b/i.test(source ?? "") ? recall(prediction, reference) : exactMatch([prediction], [[reference]]) / 100,
);
