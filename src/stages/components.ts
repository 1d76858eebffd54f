/** Rank-1 components of adapters. */
import { size } from "../tensor/tensor.ts";
import type { Layout } from "../tensor/layout.ts";

/** The values of one entry of a flat group. */
export const entry = ({ entries }: Layout, flat: Float32Array, module: number): Float32Array =>
  flat.subarray(entries[module].offset, entries[module].offset + size(entries[module].shape));

/** The indices of the `count` largest values; the first of equals. */
export const largest = (values: ArrayLike<number>, count: number): ReadonlySet<number> =>
  new Set(Array.from(values, (_, i) => i).sort((x, y) => values[y] - values[x] || x - y).slice(0, count));

/** B [out, r] of every module with the columns of the components that do not live set to zero: they are no part of the product any more. */
export const keepColumns = (layout: Layout, B: Float32Array, lives: (module: number, component: number) => boolean): Float32Array => {
  const kept = B.slice();
  layout.entries.forEach(({ offset, shape: [rows, rank] }, module) => {
    for (let r = 0; r < rank; r++) {
      if (lives(module, r)) continue;
      for (let row = 0; row < rows; row++) kept[offset + row * rank + r] = 0;
    }
  });
  return kept;
};
