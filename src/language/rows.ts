/** Rows of tokens as the inputs of a decoder: filled up on the right, with the places whose next token counts. */
import type { HostRecord } from "../tensor/replay.ts";
import type { PromptTokens } from "./promptTokens.ts";
import type { Sequence } from "./sequences.ts";

/** A token that is predicted: the place of the one before it in its row, and how much it counts in the mean. */
export interface Predicted {
  readonly at: number;
  readonly next: number;
  readonly share: number;
}

/** The tokens of an answer as what is predicted, each of which counts `share`. The very first token of a text has nothing that it follows. */
export const predictedOf = ({ ids, before }: Sequence, share = 0): readonly Predicted[] =>
  ids.flatMap((next, i) => (i < Math.max(1, before) ? [] : [{ at: i - 1, next, share }]));

/** One row of a batch. */
export interface Row extends PromptTokens {
  readonly predicted: readonly Predicted[];
}

/** The shape of a batch of rows. */
export interface RowsShape {
  readonly texts: number;
  readonly length: number;
  readonly positions: number;
  /** Pictures that each row has places for. */
  readonly pictures: number;
  /** How many tokens one picture becomes. */
  readonly pictureTokens: number;
}

/** A number rounded up to a multiple of another. */
export const upTo = (n: number, multiple: number): number => multiple * Math.ceil(n / multiple);

/**
 * The inputs of a decoder for rows: ids, starts, positions, next, share, and picks of the pictures' tokens, of which each row has its own; and `real`, 1 for
 * every token of a row. Rows and positions that are not there are filled up and count nothing.
 */
export const inputsOfRows = (rows: readonly Row[], { texts, length, positions: count, pictures, pictureTokens }: RowsShape, pad: number): HostRecord => {
  const ids = new Uint32Array(texts * length).fill(pad);
  const [picks, real] = [new Uint32Array(texts * length), new Float32Array(texts * length)];
  const [positions, next, share] = [new Uint32Array(count), new Uint32Array(count), new Float32Array(count)];
  let filled = 0;
  rows.forEach((row, r) => {
    ids.set(row.ids, r * length);
    real.fill(1, r * length, r * length + row.ids.length);
    const first = r * pictures * pictureTokens;
    row.picks.forEach((pick, i) => {
      if (pick > 0) picks[r * length + i] = first + pick;
    });
    for (const predicted of row.predicted) {
      positions[filled] = r * length + predicted.at;
      next[filled] = predicted.next;
      share[filled++] = predicted.share;
    }
  });
  return { ids, starts: new Uint32Array(texts), positions, next, share, picks, real };
};
