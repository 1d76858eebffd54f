/**
 * Products that are split along k, because their result has too few tiles to keep a GPU busy: gradients of low-rank factors, which are small sums over all
 * tokens, and products of small batches. The parts are computed side by side and added in their order by a second launch (matmul-parts.wgsl).
 *
 * How many parts there are changes the bits, so it follows from the shape and the kind of adapter alone, never from what was measured.
 */
import type { Adapter } from "../device/device.ts";
import { processors, residentGroups } from "./gpu.ts";
import { elementGrid, launch, type Launch, type Operands } from "./launch.ts";
import { formConstants, matmulDims, matmulWork, partTerms, type MatmulShape } from "./matmul.ts";

/** Rows and columns of the tile that results are counted in. */
const tile = 64;

/** Tiles that are enough for a GPU: a wide result wants two for each processor, a thin one is cut into smaller tiles. */
const enough = { wide: 2 * processors, thin: processors };

/** Terms that are worth a part. */
const worth = 128;

/** What is worth a second launch: sums of so many terms, which one workgroup alone would take long for, or so much work that all processors are wanted. */
const least = { terms: 1024, work: 2 ** 28 };

/**
 * How many parts a product is split into along k; 1 where it is not. CPU adapters have few processors, and no product of a model leaves one of them without
 * a tile.
 */
export const partsFor = (adapter: Pick<Adapter, "kind"> | undefined, shape: MatmulShape): number => {
  const { m, n, k } = shape;
  const batch = shape.separate === true ? 1 : shape.batch;
  const tiles = Math.ceil(m / tile) * Math.ceil(n / tile) * batch;
  const few = tiles < (Math.min(m, n) <= tile ? enough.thin : enough.wide);
  const worthwhile = k >= least.terms || matmulWork({ ...shape, batch }) >= least.work;
  if (adapter?.kind !== "gpu" || !few || !worthwhile || tiles === 0) return 1;
  const parts = Math.min(Math.ceil(residentGroups / tiles), Math.floor(k / worth));
  return parts < 2 ? 1 : Math.ceil(k / partTerms(k, parts));
};

/** The product whose C is the parts of another's, one after another, as they are. */
export const partial = (s: MatmulShape, parts: number): MatmulShape => ({
  ...s,
  ...{ parts, ldc: s.n, cHead: s.m * s.n, cOuter: s.heads * s.m * s.n, bias: false, epilogue: undefined, add: false },
  types: s.types && { ...(s.types.a && { a: s.types.a }), ...(s.types.b && { b: s.types.b }) },
});

/** Elements of all parts of a product. */
export const partialElements = ({ batch, m, n }: MatmulShape, parts: number): number => parts * batch * m * n;

/** The launch that adds up the parts and stores what the product computes of its sums; the operands are those of the product, the parts in the place of A. */
export const sumLaunch = (s: MatmulShape, parts: number, operands: Operands): Launch => {
  const whole: MatmulShape = { ...s, lowRank: false, types: s.types?.c && { c: s.types.c } };
  return launch("matmul-parts", matmulDims({ ...whole, parts }), operands, elementGrid(s.batch * s.m * s.n), formConstants(whole));
};
