/** Edit similarity: how near a line of code is to the one that was meant. */
import { meanOfBest, type Scoring } from "./scoring.ts";
import { commonSubsequence } from "./subsequence.ts";

/**
 * Edit similarity, as Py150 is scored: 1 − d / (sum of the lengths), where d counts insertions and deletions of characters (a replaced one is both). The
 * published code rounds it to whole percent a line, which is not done here. Case counts; space at the ends does not.
 *
 * ```ts
 * assert.equal(editSimilarity(["return a"], [["return b"]]), 87.5);
 * ```
 */
export const editSimilarity: Scoring = meanOfBest((prediction, reference) => {
  const [said, wanted] = [prediction.trim(), reference.trim()];
  const length = said.length + wanted.length;
  return length === 0 ? 1 : (2 * commonSubsequence(said, wanted)) / length;
});
