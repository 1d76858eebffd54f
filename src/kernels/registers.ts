/** Plans of products in registers, without workgroup memory (matmul-registers.wgsl): for CPU adapters, where barriers are dear. */
import type { Adapter } from "../device/device.ts";
import { foldGroups } from "./launch.ts";
import { aligned, formConstants, ranked, type Costed, type MatmulPlan, stored, type MatmulShape } from "./matmul.ts";

/**
 * Instructions of a software rasteriser: a vector load of one lane, a product and sum of all lanes, a store of one lane, a tile, and
 * compiling one sum of a lane, as a share of one run among some thousands.
 */
const prices = { load: 40, fma: 3, store: 10, tile: 3000, compile: 12000 };

/** Rows and columns of sums that one thread keeps. */
interface Tile {
  readonly rows: number;
  readonly cols: number;
}

const registers = (s: MatmulShape, tile: Tile, lanes: number, broadcast: boolean, swap: boolean): Costed => {
  const a = { type: s.types?.a, count: s.m, byK: s.ta, vec4: aligned(s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead) };
  const b = { type: s.types?.b, count: s.n, byK: !s.tb, vec4: aligned(s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead) };
  const [left, right] = swap ? [b, a] : [a, b];
  const cols = right.vec4 && right.byK ? Math.ceil(tile.cols / 4) * 4 : tile.cols;
  const slots = broadcast ? Math.ceil(tile.rows / lanes) : tile.rows;
  const tiles = Math.ceil(left.count / tile.rows) * Math.ceil(right.count / (cols * lanes)) * s.batch;
  const loads = (slots * (left.vec4 ? 1 : 2) + cols * (right.vec4 ? 1 : 2)) * lanes * prices.load;
  const sums = tile.rows * (cols + 1) * 4 * prices.fma * Math.ceil(lanes / 8);
  return {
    plan: {
      kernel: "matmul-registers",
      constants: {
        ...formConstants(s),
        BROADCAST: broadcast,
        SWAP: swap,
        TAIL: s.k % 4 !== 0,
        ROWS: tile.rows,
        QUADS: tile.rows / 4,
        COLS: cols,
        LANES: lanes,
        SLOTS: slots,
        LEFT: stored(left.type, left.vec4),
        LEFT_VEC4: left.vec4,
        LEFT_BY_K: left.byK,
        LEFT_ACROSS: left.vec4 && left.byK,
        RIGHT: stored(right.type, right.vec4),
        RIGHT_VEC4: right.vec4,
        RIGHT_BY_K: right.byK,
        RIGHT_ACROSS: right.vec4 && right.byK,
      },
      grid: foldGroups(tiles),
    },
    cost: (swap ? 1.1 : 1) * tiles * ((s.k / 4) * (loads + sums) + tile.rows * cols * lanes * prices.store + prices.tile) + tile.rows * cols * prices.compile,
  };
};

const tileSizes: readonly Tile[] = [32, 16, 8, 4].flatMap((rows) => [4, 2, 1].map((cols) => ({ rows, cols })));

/** Plans in registers that the adapter can run for this shape, best guess first: with subgroup broadcasts where it has them, and without. */
export const registerPlans = (adapter: Adapter, shape: MatmulShape): readonly MatmulPlan[] => {
  const broadcast = adapter.features.has("subgroups") && [4, 8, 16, 32, 64].includes(adapter.subgroupSize);
  const lanes = adapter.kind === "gpu" ? 64 : 8;
  const both = (tiles: readonly Tile[], lanes: number, broadcast: boolean): readonly MatmulPlan[] =>
    ranked([false, true].flatMap((swap) => tiles.map((tile) => registers(shape, tile, lanes, broadcast, swap))));
  const shuffled = broadcast ? both(tileSizes, adapter.subgroupSize, true) : [];
  const short = tileSizes.filter(({ rows }) => rows <= 8);
  return [...shuffled, ...both(short, lanes, false)];
};
