/** Rank-1 components of adapters. */
import type { GroupValues } from "../model/adapters/adapter.ts";
import { size } from "../tensor/tensor.ts";
import type { Layout } from "../tensor/layout.ts";

/** The values of one entry of a flat group. */
export const entry = ({ entries }: Layout, flat: Float32Array, layer: number): Float32Array =>
  flat.subarray(entries[layer].offset, entries[layer].offset + size(entries[layer].shape));

/** The indices of the `count` largest values; the first of equals. */
export const largest = (values: ArrayLike<number>, count: number): ReadonlySet<number> =>
  new Set(
    Array.from(values, (_, i) => i)
      .sort((x, y) => values[y] - values[x] || x - y)
      .slice(0, count),
  );

/** B, and where it started, if that was not at zero. */
type Started = GroupValues<"B"> & Partial<GroupValues<"B0">>;

/** What B gained since it started: the factor of the update. */
export const gained = ({ B, B0 }: Started): Float32Array => (B0 === undefined ? B : B.map((x, i) => x - B0[i]));

/** Values whose B [out, r] is back where it started in the columns of the components that do not live: they are no part of the product any more. */
export const keepColumns = <V extends GroupValues<"B">>(layout: Layout, values: V, lives: (layer: number, component: number) => boolean): V => {
  const { B, B0 }: Started = values;
  const living = B.slice();
  layout.entries.forEach(({ offset, shape: [rows, rank] }, layer) => {
    for (let r = 0; r < rank; r++) {
      if (lives(layer, r)) continue;
      for (let at = offset + r; at < offset + rows * rank; at += rank) living[at] = B0?.[at] ?? 0;
    }
  });
  return { ...values, B: living };
};
