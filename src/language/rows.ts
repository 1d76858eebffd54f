/** Rows of tokens as the inputs of a decoder: filled up on one side, and with the places whose next token counts. */
import type { HostData, HostRecord } from "../tensor/replay.ts";
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

/** Rows as the inputs of a decoder that say which tokens there are. */
export type Packed = Readonly<Record<"ids" | "starts" | "picks", Uint32Array>>;

/** Which end of rows is filled up, and with what. */
export interface Filling {
  readonly side: "left" | "right";
  readonly length: number;
  readonly pad: number;
}

/**
 * The ids [texts, length], starts [texts] and picks [texts, length] of rows that are filled up on one side; rows that are not there are filled up whole.
 * `before` says how many tokens of pictures in the batch stand before those of a row.
 */
export const packed = (rows: readonly PromptTokens[], texts: number, { side, length, pad }: Filling, before: (row: number) => number): Packed => {
  const [ids, picks] = [new Uint32Array(texts * length).fill(pad), new Uint32Array(texts * length)];
  const starts = new Uint32Array(texts);
  rows.forEach((row, r) => {
    if (side === "left") starts[r] = length - row.ids.length;
    const from = r * length + starts[r];
    ids.set(row.ids, from);
    const first = before(r);
    row.picks.forEach((pick, i) => {
      if (pick > 0) picks[from + i] = first + pick;
    });
  });
  return { ids, starts, picks };
};

/**
 * The inputs of a decoder for rows: ids, starts, positions, next, share, and picks of the pictures' tokens, of which each row has its own; and `real`, 1 for
 * every token of a row. Rows and positions that are not there are filled up and count nothing.
 */
export const inputsOfRows = (rows: readonly Row[], { texts, length, positions: count, pictures, pictureTokens }: RowsShape, pad: number): HostRecord => {
  const tokens = packed(rows, texts, { side: "right", length, pad }, (row) => row * pictures * pictureTokens);
  const real = new Float32Array(texts * length);
  const [positions, next, share] = [new Uint32Array(count), new Uint32Array(count), new Float32Array(count)];
  let filled = 0;
  rows.forEach((row, r) => {
    real.fill(1, r * length, r * length + row.ids.length);
    for (const predicted of row.predicted) {
      positions[filled] = r * length + predicted.at;
      next[filled] = predicted.next;
      share[filled++] = predicted.share;
    }
  });
  return { ...tokens, positions, next, share, real };
};

/** The inputs of so many rows of a batch, from `first` on, as a batch of their own shape: what a row predicts stands there as it does in the whole batch. */
export const rowsOf = (batch: HostRecord, whole: RowsShape, first: number, part: RowsShape): HostRecord => {
  const { texts, length, pictures, pictureTokens } = whole;
  const own = (name: string): HostData => {
    const width = batch[name].length / texts;
    return batch[name].subarray(first * width, (first + part.texts) * width);
  };
  const [positions, next, share] = [new Uint32Array(part.positions), new Uint32Array(part.positions), new Float32Array(part.positions)];
  const [begin, before] = [first * length, first * pictures * pictureTokens];
  let filled = 0;
  batch.positions.forEach((at, i) => {
    // Positions that are filled up have no share.
    if (batch.share[i] === 0 || at < begin || at >= begin + part.texts * length) return;
    positions[filled] = at - begin;
    next[filled] = batch.next[i];
    share[filled++] = batch.share[i];
  });
  const rows = Object.fromEntries(["ids", "starts", "real", "seen", "pixels"].filter((name) => name in batch).map((name) => [name, own(name)]));
  return { ...rows, picks: own("picks").map((pick) => (pick === 0 ? 0 : pick - before)), positions, next, share };
};
