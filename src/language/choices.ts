/** The choices of a question as rows of tokens: as few rows as there can be. */
import { predictedOf, type Predicted, type Row } from "./rows.ts";
import type { Sequence } from "./sequences.ts";

/** A row in which tokens of several choices are predicted. */
export interface ChoiceRow extends Row {
  /** The choice that each predicted token is part of. */
  readonly of: readonly number[];
}

const beginsWith = (list: readonly number[], start: readonly number[]): boolean => start.length <= list.length && start.every((id, i) => id === list[i]);

/**
 * Rows for sequences that are compared, in which every token of every answer is predicted once. A decoder looks back alone and nothing follows the last token
 * of an answer, so that answers whose other tokens begin alike share a row: single tokens are all predicted behind the prompt.
 */
export const rowsOfChoices = (sequences: readonly Sequence[]): readonly ChoiceRow[] => {
  const read = sequences.map((sequence, choice) => ({ choice, sequence, ids: sequence.ids.slice(0, -1) }));
  const rows: { ids: readonly number[]; picks: readonly number[]; predicted: Predicted[]; of: number[] }[] = [];
  // The longest first: what a row begins with has its place in it.
  for (const { choice, sequence, ids } of [...read].sort((a, b) => b.ids.length - a.ids.length)) {
    let row = rows.find((one) => beginsWith(one.ids, ids));
    if (row === undefined) rows.push((row = { ids, picks: sequence.picks.slice(0, -1), predicted: [], of: [] }));
    for (const predicted of predictedOf(sequence)) {
      row.predicted.push(predicted);
      row.of.push(choice);
    }
  }
  return rows;
};
