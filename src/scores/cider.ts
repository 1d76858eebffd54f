/** CIDEr-D of a test set. */
import { captionsOf, countRuns, type Caption } from "./captionWords.ts";
import { mean, type Scoring } from "./scoring.ts";

/** Runs of up to so many words count. */
const longest = 4;

/** The standard deviation of the penalty for a difference in length, in words. */
const sigma = 6;

/** Runs of n words with their weights. */
interface Weighed {
  readonly weights: ReadonlyMap<string, number>;
  readonly norm: number;
}

/** A text as CIDEr sees it: for n = 1 to 4 its runs. */
const weigh = (words: readonly string[], idf: (run: string) => number): readonly Weighed[] =>
  Array.from({ length: longest }, (_, k) => {
    const weights = new Map([...countRuns(words, k + 1)].map(([run, count]) => [run, count * idf(run)] as const));
    return { weights, norm: Math.hypot(...weights.values()) };
  });

/** Cosine of two lists of runs, in which a run of the prediction counts no more than in the reference. */
const similarity = (said: Weighed, wanted: Weighed): number => {
  if (said.norm === 0 || wanted.norm === 0) return 0;
  let sum = 0;
  for (const [run, weight] of said.weights) {
    const other = wanted.weights.get(run) ?? 0;
    sum += Math.min(weight, other) * other;
  }
  return sum / (said.norm * wanted.norm);
};

/** In how many examples' references each run comes. */
const documentFrequency = (captions: readonly Caption[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const { references } of captions) {
    const runs = new Set(references.flatMap((words) => Array.from({ length: longest }, (_, k) => [...countRuns(words, k + 1).keys()]).flat()));
    for (const run of runs) counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
};

/** CIDEr-D, 0 to 10. */
export const ciderD = (captions: readonly Caption[]): number => {
  const frequency = documentFrequency(captions);
  const idf = (run: string): number => Math.log(captions.length) - Math.log(Math.max(1, frequency.get(run) ?? 0));
  // The length of a text is counted in runs of two words, as the code of the metric does.
  const lengthOf = (words: readonly string[]): number => Math.max(0, words.length - 1);
  return mean(
    captions.map(({ said, references }) => {
      const weighed = weigh(said, idf);
      const each = references.map((reference) => {
        const other = weigh(reference, idf);
        const penalty = Math.exp(-((lengthOf(said) - lengthOf(reference)) ** 2) / (2 * sigma * sigma));
        return penalty * mean(weighed.map((runs, k) => similarity(runs, other[k])));
      });
      return 10 * mean(each);
    }),
  );
};

/**
 * CIDEr-D in percent of its largest value, 10: published values, which are 100 times CIDEr-D, are ten times as large. Runs of 1 to 4 words weigh by how rare
 * they are among the references of the test set; a run that every example has weighs nothing, so a single example scores 0.
 *
 * ```ts
 * assert.equal(Math.round(cider(["a cat sat here", "my dog ran off"], [["a cat sat here"], ["my dog ran off"]])), 100);
 * ```
 */
export const cider: Scoring = (predictions, references) => 10 * ciderD(captionsOf(predictions, references));
