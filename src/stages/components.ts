/** Taking rank-1 components out of adapters. */
import type { Layout } from "../tensor/layout.ts";

/** B [out, r] of every module with the columns of the components that do not live set to zero: they are no part of the product any more. */
export const keepColumns = (layout: Layout, B: Float32Array, lives: (module: number, component: number) => boolean): Float32Array => {
  const kept = B.slice();
  layout.entries.forEach(({ offset, shape: [rows, rank] }, module) => {
    for (let r = 0; r < rank; r++) if (!lives(module, r)) for (let row = 0; row < rows; row++) kept[offset + row * rank + r] = 0;
  });
  return kept;
};
