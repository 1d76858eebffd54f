/** Exact match, in three forms. */
import { meanOfBest, type Scoring } from "./scoring.ts";

/**
 * A text as exact match compares it: in lower case, without space at its ends, with one space for any other, and with each accented letter as one
 * character (Unicode's form NFC).
 *
 * ```ts
 * assert.equal(normalised("  New\nYork "), "new york");
 * ```
 */
export const normalised = (text: string): string => text.normalize("NFC").trim().toLowerCase().replace(/\s+/g, " ");

const same = (a: string, b: string): number => (a === b ? 1 : 0);

/**
 * Exact match: the share of predictions that are one of their references, but for case and the number of spaces.
 *
 * ```ts
 * assert.equal(exactMatch(["Yes", "yes."], [["yes"], ["yes"]]), 50);
 * ```
 */
export const exactMatch: Scoring = meanOfBest((prediction, reference) => same(normalised(prediction), normalised(reference)));

const compact = (text: string): string => normalised(text).replace(/[ .]/g, "");

/**
 * Exact match after dropping spaces and full stops: the finance task of MLLM-DCL.
 *
 * ```ts
 * assert.equal(compactMatch(["A. Buy.", "b"], [["a buy"], ["a"]]), 50);
 * ```
 */
export const compactMatch: Scoring = meanOfBest((prediction, reference) => same(compact(prediction), compact(reference)));
