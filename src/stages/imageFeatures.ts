/** Rows of features, and how those of images are collected. */
import * as E from "fp-ts/lib/Either.js";
import type { Batch } from "../data/batches.ts";
import type { Failure } from "../failure.ts";
import { firstNotFinite } from "../formats/hostTensor.ts";

/** Rows of features: [count, width]. */
export interface Features {
  readonly count: number;
  readonly data: Float32Array;
}

/** Features of images, and what there is to know of each. */
export interface ImageFeatures extends Features {
  readonly labels: Uint32Array;
  readonly ids: readonly string[];
  /** What a branch noted of the images: [count, k], by name. */
  readonly notes: Readonly<Record<string, Float32Array>>;
}

/** What is wrong with a model that has finite weights and gives features that are not. */
export const notFiniteFeature = (of: string): Failure => ({
  _tag: "NotFinite",
  what: `A feature of ${of}`,
  advice: "the model's weights are too large to compute with: they are damaged, or were trained at too high a rate",
});

/** Collects what the device gives for batches of `batch` places, `width` numbers each and notes beside them. */
export const collected = (name: string, examples: number, batch: number, width: number, noted: readonly string[]) => {
  const [data, labels, ids] = [new Float32Array(examples * width), new Uint32Array(examples), [] as string[]];
  const notes: readonly number[][] = noted.map(() => []);
  let count = 0;
  return {
    add: (loaded: Batch, read: readonly Float32Array[]): E.Either<Failure, void> => {
      // What it gives for the places of a batch that no image fills does not count.
      const filled = read.map((values) => values.subarray(0, (values.length / batch) * loaded.count));
      if (filled.some((values) => firstNotFinite(values) >= 0)) return E.left(notFiniteFeature(`an image of ${name}`));
      data.set(filled[0], count * width);
      labels.set(loaded.labels, count);
      ids.push(...loaded.ids);
      notes.forEach((list, i) => list.push(...filled[i + 1]));
      count += loaded.count;
      return E.right(undefined);
    },
    all: (): ImageFeatures => ({
      ...{ count, data: data.subarray(0, count * width), labels: labels.subarray(0, count), ids },
      notes: Object.fromEntries(noted.map((name, i) => [name, Float32Array.from(notes[i])])),
    }),
  };
};
