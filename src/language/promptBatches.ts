/** Prompts in batches of one shape: prompts of like length together, padded on the left. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { HostRecord } from "../tensor/replay.ts";
import type { DecodingShape } from "./decoding.ts";
import type { Prompt } from "./prompts.ts";
import { packed, upTo } from "./rows.ts";

/** Prompts that are continued together. */
export interface PromptBatch {
  /** The places of its prompts among all. */
  readonly places: readonly number[];
  /** How many tokens each may be continued by. */
  readonly limits: readonly number[];
  readonly shape: DecodingShape;
  /** `ids`, `starts`, and what belongs to pictures. */
  readonly inputs: TE.TaskEither<Failure, HostRecord>;
}

/** What prompts are batched for. */
export interface Batching {
  readonly maxTokens: number;
  readonly batch: number;
  /** The most tokens that the model takes. */
  readonly context: number;
  /** The token that fills up. */
  readonly pad: number;
  /** How many tokens a picture becomes. */
  readonly pictureTokens: number;
}

/** Lengths and capacities are multiples of these, so that batches share programs. */
const [lengthStep, capacityStep] = [16, 64];

/** The pixels of all pictures, one after another. */
const pixelsOf = (prompts: readonly Prompt[]): TE.TaskEither<Failure, Float32Array> =>
  pipe(
    prompts,
    TE.traverseSeqArray(({ pictures }) => pictures?.pixels ?? TE.right([])),
    TE.map((found) => {
      const all = found.flat();
      const pixels = new Float32Array(all.length * (all[0]?.length ?? 0));
      all.forEach((one, i) => pixels.set(one, i * one.length));
      return pixels;
    }),
  );

const laidOut = (places: readonly number[], prompts: readonly Prompt[], { maxTokens, context, pad, pictureTokens }: Batching): PromptBatch => {
  // A token that is the last one of an answer is never read: with it a text may be one longer than the context.
  const limits = prompts.map(({ ids }) => Math.min(maxTokens, context - ids.length + 1));
  const texts = prompts.length;
  const length = upTo(Math.max(...prompts.map(({ ids }) => ids.length)), lengthStep);
  // Where the pictures of each prompt begin among those of all; the last number is that of all pictures.
  const firsts = prompts.reduce<readonly number[]>((all, { pictures }) => [...all, all.at(-1)! + (pictures?.count ?? 0)], [0]);
  const images = firsts[texts];
  const rows = prompts.map(({ ids, picks = [] }) => ({ ids, picks }));
  const tokens = packed(rows, texts, { side: "left", length, pad }, (row) => firsts[row] * pictureTokens);
  const shape = { texts, length, images, capacity: upTo(length + Math.max(...limits) - 1, capacityStep) };
  return { places, limits, shape, inputs: TE.map((pixels: Float32Array) => ({ ...tokens, pixels }))(pixelsOf(prompts)) };
};

/** The batches of prompts: the longest first, so that what does not fit is found at once, and batches with the same shape follow one another. */
export const batchesOf = (prompts: readonly Prompt[], batching: Batching): readonly PromptBatch[] => {
  const order = [...prompts.keys()].sort((a, b) => prompts[b].ids.length - prompts[a].ids.length || a - b);
  return Array.from({ length: Math.ceil(order.length / batching.batch) }, (_, i) => {
    const places = order.slice(i * batching.batch, (i + 1) * batching.batch);
    return laidOut(
      places,
      places.map((place) => prompts[place]),
      batching,
    );
  });
};
