/** ROUGE-L of one text against others. */
import { commonSubsequence } from "./subsequence.ts";
import { fMeasure, meanOfBest, type Scoring } from "./scoring.ts";

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/**
 * ROUGE-L: the mean F1 of the longest common subsequence of words, with the best reference. Words are runs of letters and digits in lower case, and not
 * stemmed. For English this is what the package rouge-score gives. That knows the letters a to z alone and cuts a word at any other: its "über" is "ber",
 * and a text in Chinese has no words there. A text without words scores 0.
 *
 * ```ts
 * assert.equal(rougeL(["a cat sat"], [["The cat sat."]]), 100 * (2 / 3));
 * ```
 */
export const rougeL: Scoring = meanOfBest((prediction, reference) => {
  const [said, wanted] = [wordsOf(prediction), wordsOf(reference)];
  const common = commonSubsequence(said, wanted);
  return common === 0 ? 0 : fMeasure(common / said.length, common / wanted.length);
});
