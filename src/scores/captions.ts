/** The score of captions in UCIT. */
import { bleus } from "./bleu.ts";
import { captionsOf, type Caption } from "./captionWords.ts";
import { ciderD } from "./cider.ts";
import { meteorOf } from "./meteor.ts";
import { fMeasure, mean, type Scoring } from "./scoring.ts";
import { commonSubsequence } from "./subsequence.ts";

/** Recall weighs 1.2² times as much as precision. */
const beta = 1.2;

/** ROUGE-L of captions, 0 to 1: the best precision and the best recall that any of the references gives. */
export const captionRougeL = (captions: readonly Caption[]): number =>
  mean(
    captions.map(({ said, references }) => {
      const common = references.map((reference) => commonSubsequence(said, reference));
      const precision = Math.max(...common.map((length) => length / Math.max(1, said.length)));
      const recall = Math.max(...common.map((length, i) => length / Math.max(1, references[i].length)));
      return fMeasure(precision, recall, beta);
    }),
  );

/**
 * UCIT's score of captions: 100 times the mean of BLEU-1 to BLEU-4, METEOR, ROUGE-L and CIDEr-D. CIDEr-D reaches 10, so few captions that are all right
 * would score more than 100; that counts as 100.
 *
 * ```ts
 * assert.equal(captions(["a cat sits on a mat"], [["my dog ran off"]]), 0);
 * ```
 */
export const captions: Scoring = (predictions, references) => {
  if (predictions.length === 0) return 0;
  const all = captionsOf(predictions, references);
  return Math.min(100, 100 * mean([...bleus(all, 4), meteorOf(all), captionRougeL(all), ciderD(all)]));
};
