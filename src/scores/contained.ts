/** Whether a prediction contains its reference: the medicine, remote sensing and driving tasks of MLLM-DCL. */
import { normalised } from "./exact.ts";
import { meanOfBest, type Scoring } from "./scoring.ts";

/** Whether a text has another in it. Nothing is in an empty text alone. */
const has = (text: string, part: string): boolean => (part === "" ? text === "" : text.includes(part));

/**
 * The share of predictions that contain one of their references, in any case.
 *
 * ```ts
 * assert.equal(contained(["It is the left lung.", "no"], [["left lung"], ["yes"]]), 50);
 * ```
 */
export const contained: Scoring = meanOfBest((prediction, reference) => (has(normalised(prediction), normalised(reference)) ? 1 : 0));

/** The words of a text, without the punctuation at their ends. */
const wordsOf = (text: string): readonly string[] =>
  normalised(text)
    .split(" ")
    .map((word) => word.replace(/^[("'[]+|[)"'\].,;:!?]+$/g, "") || word);

/**
 * The share of predictions that contain one of their references as words: of several words it must be a part of the prediction, one word must be a
 * word of it.
 *
 * ```ts
 * assert.equal(containedWord(["It turns left.", "Nothing"], [["left"], ["no"]]), 50);
 * ```
 */
export const containedWord: Scoring = meanOfBest((prediction, reference) => {
  const wanted = wordsOf(reference);
  return (wanted.length > 1 ? normalised(prediction).includes(normalised(reference)) : wordsOf(prediction).includes(wanted[0])) ? 1 : 0;
});
