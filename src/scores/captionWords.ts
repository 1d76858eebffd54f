/** The words of captions, and runs of them. */

/** A prediction and its references, in words. */
export interface Caption {
  readonly said: readonly string[];
  readonly references: readonly (readonly string[])[];
}

/** What a word can be; the first form that fits is taken. */
const forms = [
  /\p{L}'\p{L}{3,}/u, // o'clock
  /\p{L}+(?=n't(?![\p{L}\p{N}]))/u, // do|n't
  /n't(?![\p{L}\p{N}])/u,
  /'(?:s|re|ve|ll|d|m)(?![\p{L}\p{N}])/u,
  /[\p{L}\p{N}]+(?:[-.,:_&/][\p{L}\p{N}]+)*/u, // black-and-white, 7.5
  /[$%#&@+*=()[\]{}]/u,
];

const word = new RegExp(forms.map((form) => form.source).join("|"), "gu");

/**
 * The words of a caption in lower case, without punctuation but brackets, and clitics by themselves: for English what the Penn Treebank's tokenizer gives.
 *
 * ```ts
 * assert.deepEqual(captionWords("A dog's ball, black-and-white."), ["a", "dog", "'s", "ball", "black-and-white"]);
 * ```
 */
export const captionWords = (text: string): readonly string[] => text.toLowerCase().replace(/[’‘]/g, "'").match(word) ?? [];

/** Predictions and references as captions. One without a reference has an empty one, with which it has nothing in common. */
export const captionsOf = (predictions: readonly string[], references: readonly (readonly string[])[]): readonly Caption[] =>
  predictions.map((prediction, i) => ({ said: captionWords(prediction), references: references[i].length === 0 ? [[]] : references[i].map(captionWords) }));

/** How often each run of n words comes. */
export const countRuns = (words: readonly string[], n: number): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= words.length; i++) {
    const run = words.slice(i, i + n).join(" ");
    counts.set(run, (counts.get(run) ?? 0) + 1);
  }
  return counts;
};
