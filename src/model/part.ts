/** Parts of a batch: one that does not fit at once is computed in several, one after the other. */
import type { BatchSize } from "./architecture.ts";
import type { Layer, Network } from "./network.ts";

/** Examples of a batch that follow one another. */
export interface Part {
  /** Its place among the parts, of which there are `count`; the first is 0. */
  readonly index: number;
  readonly count: number;
  /** The place of its first example in the batch, and how many it has. */
  readonly first: number;
  readonly examples: number;
  readonly size: BatchSize;
  /** Whether it has an input of this name of its own. Others, such as the prompts of classes, are those of the whole batch. */
  readonly splits: (input: string) => boolean;
}

/** The whole batch as its only part. How many examples it has is asked only where there are other parts. */
export const wholeBatch = (size: BatchSize, examples = 1): Part => ({ index: 0, count: 1, first: 0, examples, size, splits: () => false });

/**
 * Cuts so many examples into `count` parts whose sizes differ by one at most, the larger ones first: the first example of each, and how many it has.
 *
 * ```ts
 * assert.deepEqual(cut(5, 2), [[0, 3], [3, 2]]);
 * ```
 */
export const cut = (examples: number, count: number): readonly (readonly [first: number, examples: number])[] =>
  Array.from({ length: count }, (_, i) => {
    const start = (part: number): number => part * Math.floor(examples / count) + Math.min(part, examples % count);
    return [start(i), start(i + 1) - start(i)] as const;
  });

/** Of so many elements that a layer reads in a part of a batch, how many the examples before that part have in the whole batch. */
export const elementsBefore = ({ first, examples, splits }: Part, { towers }: Network, { tower }: Layer, elements: number): number =>
  towers[tower]?.inputs.some(splits) === true ? (elements / examples) * first : 0;
