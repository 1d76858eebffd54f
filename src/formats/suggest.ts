/** "Did you mean": the word that somebody has meant who wrote another. */
import { distance } from "fastest-levenshtein";

/** A word and those in which two neighbours of it are swapped. */
const withSwaps = (word: string): readonly string[] => {
  const letters = [...word];
  return [word, ...letters.slice(1).map((letter, i) => [...letters.slice(0, i), letter, letters[i], ...letters.slice(i + 2)].join(""))];
};

/** How many letters are wrong: one too many, one too few, another one, or two neighbours that are swapped, which counts once. */
const mistakes = (given: string, word: string): number => Math.min(...withSwaps(given).map((one, i) => distance(one, word) + (i === 0 ? 0 : 1)));

/** The one of some words that is close to another: a third of its letters may be wrong, or it is one that begins so. */
export const meant = (word: string, words: readonly string[]): string | undefined => {
  const given = word.toLowerCase();
  const ranked = words.map((w) => ({ w, wrong: mistakes(given, w.toLowerCase()) })).sort((a, b) => a.wrong - b.wrong);
  const close = ranked.find(({ w, wrong }) => wrong <= Math.max(1, Math.floor(Math.max(given.length, w.length) / 3)));
  const [begun, another] = given.length < 3 ? [] : words.filter((w) => w.toLowerCase().startsWith(given));
  return close?.w ?? (another === undefined ? begun : undefined);
};

/** The end of a sentence that says what is wrong with a word: a question where another is close, and else what `otherwise` says. */
export const didYouMean = (word: string, words: readonly string[], otherwise = ""): string => {
  const close = meant(word, words);
  return close === undefined ? otherwise : `; did you mean ${close}?`;
};
