/** Prompts in batches of one shape: prompts of like length together, padded on the left. */
import type { HostRecord } from "../tensor/replay.ts";
import type { DecodingShape } from "./decoding.ts";
import type { Prompt } from "./prompts.ts";

/** Prompts that are continued together. */
export interface PromptBatch {
  /** The places of its prompts among all. */
  readonly places: readonly number[];
  /** How many tokens each may be continued by. */
  readonly limits: readonly number[];
  readonly shape: DecodingShape;
  /** `ids`, `starts`, and what belongs to pictures. */
  readonly inputs: HostRecord;
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

const roundUp = (n: number, step: number): number => Math.ceil(n / step) * step;

const laidOut = (places: readonly number[], prompts: readonly Prompt[], { maxTokens, context, pad, pictureTokens }: Batching): PromptBatch => {
  // A token that is the last one of an answer is never read: with it a text may be one longer than the context.
  const limits = prompts.map(({ ids }) => Math.min(maxTokens, context - ids.length + 1));
  const texts = prompts.length;
  const length = roundUp(Math.max(...prompts.map(({ ids }) => ids.length)), lengthStep);
  const [ids, picks] = [new Uint32Array(texts * length).fill(pad), new Uint32Array(texts * length)];
  const starts = Uint32Array.from(prompts, (prompt) => length - prompt.ids.length);
  const pixels = prompts.flatMap((prompt) => prompt.pixels ?? []);
  let pictures = 0;
  prompts.forEach((prompt, row) => {
    const from = row * length + starts[row];
    const before = pictures * pictureTokens;
    ids.set(prompt.ids, from);
    picks.set(prompt.picks?.map((pick) => (pick === 0 ? 0 : pick + before)) ?? [], from);
    pictures += prompt.pixels?.length ?? 0;
  });
  const all = new Float32Array(pixels.length * (pixels[0]?.length ?? 0));
  pixels.forEach((one, i) => all.set(one, i * one.length));
  const shape = { texts, length, images: pixels.length, capacity: roundUp(length + Math.max(...limits) - 1, capacityStep) };
  return { places, limits, shape, inputs: { ids, starts, picks, pixels: all } };
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
