/** What a score is: a pure function of what was answered and of what should have been. */

/**
 * Scores the predictions of a test set, from 0 to 100: one prediction a question, its references, and where a score needs them the questions. The
 * order of the questions does not matter. Of no predictions the score is 0, and so is that of a question without a reference.
 */
export type Scoring = (predictions: readonly string[], references: readonly (readonly string[])[], sources?: readonly string[]) => number;

/** The mean of the values; 0 where there are none. */
export const mean = (xs: readonly number[]): number => (xs.length === 0 ? 0 : xs.reduce((sum, x) => sum + x, 0) / xs.length);

/** The mean over the questions of the best that a prediction gets with one of its references; `of` gives 0 to 1. */
export const meanOfBest =
  (of: (prediction: string, reference: string, source: string | undefined) => number): Scoring =>
  (predictions, references, sources) =>
    100 * mean(predictions.map((prediction, i) => Math.max(0, ...references[i].map((reference) => of(prediction, reference, sources?.[i])))));

/** The mean of precision and recall in which recall weighs beta² times as much; 0 where one of them is 0. */
export const fMeasure = (precision: number, recall: number, beta = 1): number =>
  precision === 0 || recall === 0 ? 0 : ((1 + beta * beta) * precision * recall) / (recall + beta * beta * precision);
