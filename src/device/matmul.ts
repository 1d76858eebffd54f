/**
 * Which matmul kernel, in which tile, for a shape on an adapter.
 *
 * ```ts
 * matmulVariants(adapter, shape)[0] // the best guess; all of them give the same bits, so any may be taken for being fast
 * ```
 */
import type { Adapter, Kernel } from "./device.ts";
import { foldGroups, type Grid } from "./launch.ts";
import type { Constants } from "./template.ts";

/**
 * `C[z] = f(scale · op(A[z]) op(B[z]) + P op(Q) + bias)`, z = outer · heads + head < batch; op(A) is [m, k], op(B) is [k, n].
 * Strides are in elements: `ld*` between stored rows, `*Outer` and `*Head` between matrices.
 */
export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly r: number;
  /** A is stored transposed, [k, m]. */
  readonly ta: boolean;
  /** B is stored transposed, [n, k]. */
  readonly tb: boolean;
  readonly batch: number;
  readonly heads: number;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
  readonly aOuter: number;
  readonly aHead: number;
  readonly bOuter: number;
  readonly bHead: number;
  readonly cOuter: number;
  readonly cHead: number;
  readonly bias: boolean;
  /** P [m, r] and Q, stored as B is, with r in the place of k; for one matrix only. */
  readonly lowRank: boolean;
  readonly activation?: "quickGelu" | "gelu";
  /** C += instead of C =. */
  readonly add?: boolean;
}

/** A way to compute one shape: a kernel, its constants and its grid. */
export interface MatmulPlan {
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly grid: Grid;
}

/** A tile of `matmul-registers`: rows and columns of sums in a lane. */
interface Tile {
  readonly rows: number;
  readonly cols: number;
}

/** Whether an operand can be read four elements at a time: its strides, and the extent that it is stored along. */
const aligned = (extent: number, ...strides: readonly number[]): boolean => [extent, ...strides].every((x) => x % 4 === 0);

const epilogue = (s: MatmulShape): Constants => ({
  TA: s.ta, TB: s.tb, BIAS: s.bias, LOW_RANK: s.lowRank, ADD: s.add === true,
  ACTIVATION: s.activation !== undefined, QUICK_GELU: s.activation === "quickGelu", GELU: s.activation === "gelu",
});

interface Costed {
  readonly plan: MatmulPlan;
  readonly cost: number;
}

/** Instructions of a software rasteriser for a vector load of one lane, for a multiplication and addition of all lanes, and for a tile. */
const prices = { load: 40, fma: 3, store: 10, tile: 3000 };

const registers = (s: MatmulShape, tile: Tile, lanes: number, broadcast: boolean, swap: boolean): Costed => {
  const a = { count: s.m, byK: s.ta, vec4: aligned(s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead) };
  const b = { count: s.n, byK: !s.tb, vec4: aligned(s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead) };
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
        ...epilogue(s), BROADCAST: broadcast, SWAP: swap, TAIL: s.k % 4 !== 0,
        ROWS: tile.rows, QUADS: tile.rows / 4, COLS: cols, LANES: lanes, SLOTS: slots,
        LEFT: left.vec4 ? "vec4f" : "f32", LEFT_VEC4: left.vec4, LEFT_BY_K: left.byK, LEFT_ACROSS: left.vec4 && left.byK,
        RIGHT: right.vec4 ? "vec4f" : "f32", RIGHT_VEC4: right.vec4, RIGHT_BY_K: right.byK, RIGHT_ACROSS: right.vec4 && right.byK,
      },
      grid: foldGroups(tiles),
    },
    cost: tiles * ((s.k / 4) * (loads + sums) + tile.rows * cols * lanes * prices.store + prices.tile),
  };
};

const tileSizes: readonly Tile[] = [4, 8, 16, 24, 32].flatMap((rows) => [1, 2, 3, 4].map((cols) => ({ rows, cols })));

/** The plans that the adapter can run for this shape, best guess first. They give the same bits. */
export const matmulVariants = (adapter: Adapter, shape: MatmulShape): readonly MatmulPlan[] => {
  const broadcast = adapter.features.has("subgroups") && [4, 8, 16, 32, 64].includes(adapter.subgroupSize);
  const lanes = adapter.kind === "gpu" ? 64 : 8;
  const candidates = [false, true].flatMap((swap) =>
    tileSizes.flatMap((tile) => [
      ...(broadcast ? [registers(shape, tile, adapter.subgroupSize, true, swap)] : []),
      ...(tile.rows <= 8 ? [registers(shape, tile, lanes, false, swap)] : []),
    ]));
  const seen = new Set<string>();
  return candidates
    .sort((x, y) => x.cost - y.cost)
    .map(({ plan }) => plan)
    .filter((plan) => {
      const key = JSON.stringify(plan);
      return !seen.has(key) && seen.add(key) !== undefined;
    });
};
