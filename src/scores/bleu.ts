/** BLEU of a test set. */
import { captionsOf, countRuns, type Caption } from "./captionWords.ts";
import type { Scoring } from "./scoring.ts";

/** The length of the reference that is nearest to a prediction's; of two as near the shorter. */
const nearestLength = ({ said, references }: Caption): number =>
  references
    .map((reference) => reference.length)
    .reduce((best, length) => {
      const [far, near] = [Math.abs(best - said.length), Math.abs(length - said.length)];
      return near < far || (near === far && length < best) ? length : best;
    });

/** Of all runs of n words that were said, how many a reference has, each at most as often as there. */
const precision = (captions: readonly Caption[], n: number): number => {
  let [right, all] = [0, 0];
  for (const { said, references } of captions) {
    const wanted = references.map((reference) => countRuns(reference, n));
    for (const [run, count] of countRuns(said, n)) {
      right += Math.min(count, Math.max(...wanted.map((counts) => counts.get(run) ?? 0)));
      all += count;
    }
  }
  return all === 0 ? 0 : right / all;
};

/** BLEU-1 to BLEU-`most`, 0 to 1. */
export const bleus = (captions: readonly Caption[], most: number): readonly number[] => {
  const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);
  const [said, wanted] = [sum(captions.map((c) => c.said.length)), sum(captions.map(nearestLength))];
  const brevity = said >= wanted ? 1 : said === 0 ? 0 : Math.exp(1 - wanted / said);
  let product = 1;
  return Array.from({ length: most }, (_, k) => {
    product *= precision(captions, k + 1);
    return brevity * product ** (1 / (k + 1));
  });
};

/**
 * BLEU-n of the whole test set: the geometric mean of the precisions of runs of 1 to n words, times the penalty for brevity against the nearest reference.
 * Nothing is smoothed, so it is 0 where no run of n words is right.
 *
 * ```ts
 * assert.equal(bleu(1)(["a cat sat"], [["a dog sat"]]), 100 * (2 / 3));
 * ```
 */
export const bleu =
  (n: number): Scoring =>
  (predictions, references) =>
    predictions.length === 0 ? 0 : 100 * bleus(captionsOf(predictions, references), n)[n - 1];
