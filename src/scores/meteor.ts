/** METEOR of a test set, with the matches that need no tables: equal words and equal stems. */
import { align } from "./align.ts";
import { captionsOf, type Caption } from "./captionWords.ts";
import type { Scoring } from "./scoring.ts";

/** The weight of precision against recall, the exponent and the weight of the penalty, and what a pair of stems counts: METEOR 1.5's for English. */
const [alpha, beta, gamma, stemWeight] = [0.85, 0.2, 0.6, 0.6];

/** METEOR cuts the words of captions once more: at hyphens, symbols and apostrophes. */
const cut = (words: readonly string[]): readonly string[] =>
  words.flatMap((word) =>
    word
      .replace(/(?<=[\p{L}\p{N}])-(?=[\p{L}\p{N}])/gu, " ")
      .replace(/[/:_]/g, " $& ")
      .replace(/^'/, "' ")
      .replace(/(?<=\p{L})'(?=\p{L})/gu, " '")
      .split(" ")
      .filter((part) => part !== ""),
  );

/** What is counted in one prediction, or summed over many. */
interface Counts {
  readonly said: number;
  readonly wanted: number;
  readonly pairs: number;
  /** Pairs, each by its weight. */
  readonly weight: number;
  readonly chunks: number;
}

const scoreOf = ({ said, wanted, pairs, weight, chunks }: Counts): number => {
  if (pairs === 0) return 0;
  const [precision, recall] = [weight / said, weight / wanted];
  const harmonic = (precision * recall) / (alpha * precision + (1 - alpha) * recall);
  return harmonic * (1 - gamma * (chunks / pairs) ** beta);
};

const countsOf = (prediction: readonly string[], wanted: readonly string[]): Counts => {
  const [said, reference] = [cut(prediction), cut(wanted)];
  const { exact, stems, chunks } = align(said, reference);
  const pairs = exact + stems;
  // Where one chunk is all of both texts, nothing is in pieces.
  const whole = chunks === 1 && pairs === said.length && pairs === reference.length;
  return { said: said.length, wanted: reference.length, pairs, weight: exact + stemWeight * stems, chunks: whole ? 0 : chunks };
};

const best = ({ said, references }: Caption): Counts =>
  references.map((reference) => countsOf(said, reference)).reduce((a, b) => (scoreOf(b) > scoreOf(a) ? b : a));

const plus = (a: Counts, b: Counts): Counts => ({
  said: a.said + b.said,
  wanted: a.wanted + b.wanted,
  pairs: a.pairs + b.pairs,
  weight: a.weight + b.weight,
  chunks: a.chunks + b.chunks,
});

/** METEOR with equal words and stems, 0 to 1. */
export const meteorOf = (captions: readonly Caption[]): number =>
  scoreOf(captions.map(best).reduce(plus, { said: 0, wanted: 0, pairs: 0, weight: 0, chunks: 0 }));

/**
 * METEOR 1.5 for English, with equal words and equal stems alone: synonyms and paraphrases need tables, and so does the lower weight of function words.
 * Of several references the best one counts; counts are summed over the test set.
 *
 * ```ts
 * assert.equal(meteor(["a dog runs"], [["a dog runs"]]), 100);
 * ```
 */
export const meteor: Scoring = (predictions, references) => 100 * meteorOf(captionsOf(predictions, references));
