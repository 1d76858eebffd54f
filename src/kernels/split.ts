/**
 * Products that are split along k, because their result has too few tiles to keep a GPU busy: gradients of low-rank factors, which are small sums over all
 * tokens, and products of small batches. The parts are computed side by side and added in their order by a second launch (matmul-parts.wgsl).
 *
 * How many parts there are changes the bits, so it follows from the shape and the kind of adapter alone, never from what was measured.
 */
import type { Adapter } from "../device/device.ts";
import { processors, residentGroups } from "./gpu.ts";
import { elementGrid, input, launch, output, type Launch, type Operands } from "./launch.ts";
import { formConstants, matmulDims, matmulWork, partTerms, type MatmulShape } from "./matmul.ts";

/** Rows and columns of the tile that results are counted in. */
const tile = 64;

/** Tiles that are enough for a GPU: a wide result wants two for each processor, a thin one is cut into smaller tiles. */
const enough = { wide: 2 * processors, thin: processors };

/** Terms that are worth a part. */
const worth = 128;

/**
 * Parts of a thin result, and elements of them, at most. Those of gradients of low-rank factors are as many in layers of any width, so that one launch adds up
 * the parts of them all.
 */
const most = { parts: 32, elements: 2 ** 22 };

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
  const thin = Math.min(m, n) <= tile;
  const few = tiles < (thin ? enough.thin : enough.wide);
  const worthwhile = k >= least.terms || matmulWork({ ...shape, batch }) >= least.work;
  if (adapter?.kind !== "gpu" || !few || !worthwhile || tiles === 0) return 1;
  const wanted = thin ? Math.min(most.parts, Math.floor(most.elements / (batch * m * n))) : Math.ceil(residentGroups / tiles);
  const parts = Math.min(wanted, Math.floor(k / worth));
  return parts < 2 ? 1 : Math.ceil(k / partTerms(k, parts));
};

/** The product whose C is the parts of another's, as they are. */
export const partial = (s: MatmulShape, parts: number): MatmulShape => ({
  ...s,
  ...{ parts, ldc: s.n, cHead: s.m * s.n, cOuter: s.heads * s.m * s.n, bias: false, epilogue: undefined, add: false },
  types: s.types && { ...(s.types.a && { a: s.types.a }), ...(s.types.b && { b: s.types.b }) },
});

/** Elements of all parts of a product: the parts of 64 sums lie together. */
export const partialElements = ({ batch, m, n }: MatmulShape, parts: number): number => parts * 64 * Math.ceil((batch * m * n) / 64);

/** The launch that adds up the parts and stores what the product computes of its sums; the operands are those of the product, the parts in the place of A. */
export const sumLaunch = (s: MatmulShape, parts: number, operands: Operands): Launch => {
  const whole: MatmulShape = { ...s, lowRank: false, types: s.types?.c && { c: s.types.c } };
  return launch("matmul-parts", matmulDims({ ...whole, parts }), operands, elementGrid(s.batch * s.m * s.n), formConstants(whole));
};

/** The launch that adds up the parts of products whose values are `count` elements, one behind the other, and that are nothing but these sums. */
export const sumsLaunch = (count: number, parts: number): Launch => {
  // Of how many terms the parts are does not matter here.
  const sums = { m: 1, n: count, k: partTerms(parts, 1) * parts, r: 0, ta: false, tb: false, batch: 1, heads: 1, lda: 0, ldb: 0, ldc: count };
  const apart = { aOuter: 0, aHead: 0, bOuter: 0, bHead: 0, cOuter: 0, cHead: 0, bias: false, lowRank: false };
  return sumLaunch({ ...sums, ...apart }, parts, [input(0), undefined, output(0)]);
};
