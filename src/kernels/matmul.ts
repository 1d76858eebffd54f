/**
 * Which matmul kernel, in which tile, for a shape on an adapter.
 *
 * ```ts
 * matmulVariants(adapter, shape)[0] // the best guess; all of them give the same bits, so any may be taken for being fast
 * ```
 */
import type { Adapter } from "../device/device.ts";
import type { Dims } from "./dims.ts";
import { foldGroups, type Grid } from "./launch.ts";
import type { Constants } from "./template.ts";

/** The operands of a product that are stored as f16; the others are f32, and so are its sums. */
export interface ProductTypes {
  readonly a?: "f16";
  readonly b?: "f16";
  readonly c?: "f16";
}

/**
 * `C[z] = f(scale · op(A[z]) op(B[z]) + P op(Q) + bias)`, z = outer · heads + head < batch; op(A) is [m, k], op(B) is [k, n].
 * Strides are in elements: `ld*` between stored rows, `*Outer` and `*Head` between matrices; B's of a head is head / share.
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
  /** Consecutive heads that have one matrix of B in common. Default 1. */
  readonly share?: number;
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
  /** What the operands are stored as. Default: all f32. Kernels that read or write f16 need `shader-f16`. */
  readonly types?: ProductTypes;
}

/** Multiplications with an addition that a product takes, its epilogue left out. */
export const matmulWork = ({ batch, m, n, k }: MatmulShape): number => batch * m * n * k;

/** The kernels that compute products. */
export const matmulKernels = ["matmul-registers", "matmul-tiled"] as const;

/** The name of a kernel that computes products. */
export type MatmulKernel = (typeof matmulKernels)[number];

/** The uniform of a product; `scale` multiplies op(A) op(B). */
export const matmulDims = (shape: MatmulShape, scale = 1): Dims<MatmulKernel> => {
  const { m, n, k, r, lda, ldb, ldc, heads, share = 1, aOuter, aHead, bOuter, bHead, cOuter, cHead, batch } = shape;
  return { m, n, k, r, lda, ldb, ldc, heads, aOuter, aHead, bOuter, bHead, cOuter, cHead, scale, batch, share };
};

/** A way to compute one shape: a kernel, its constants and its grid. */
export interface MatmulPlan {
  readonly kernel: MatmulKernel;
  readonly constants: Constants;
  readonly grid: Grid;
}

/** A tile: rows and columns of sums that one thread keeps. */
interface Tile {
  readonly rows: number;
  readonly cols: number;
}

/** Whether an operand can be read four elements at a time: its strides, and the extent that it is stored along. */
const aligned = (extent: number, ...strides: readonly number[]): boolean => [extent, ...strides].every((x) => x % 4 === 0);

/** Whether an operand of a product is stored as f16. */
export const isHalf = ({ types = {} }: MatmulShape): boolean => Object.values(types).includes("f16");

/** What four elements are read as. */
const fours = { f32: "vec4f", f16: "vec4h" } as const;

const epilogue = (s: MatmulShape): Constants => ({
  HALF: isHalf(s),
  C: s.types?.c ?? "f32",
  TA: s.ta,
  TB: s.tb,
  BIAS: s.bias,
  LOW_RANK: s.lowRank,
  ADD: s.add === true,
  ACTIVATION: s.activation !== undefined,
  QUICK_GELU: s.activation === "quickGelu",
  GELU: s.activation === "gelu",
});

interface Costed {
  readonly plan: MatmulPlan;
  readonly cost: number;
}

/**
 * Instructions of a software rasteriser: a vector load of one lane, a product and sum of all lanes, a store of one lane, a tile, and
 * compiling one sum of a lane, as a share of one run among some thousands.
 */
const prices = { load: 40, fma: 3, store: 10, tile: 3000, compile: 12000 };

const registers = (s: MatmulShape, tile: Tile, lanes: number, broadcast: boolean, swap: boolean): Costed => {
  const a = { type: s.types?.a ?? ("f32" as const), count: s.m, byK: s.ta, vec4: aligned(s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead) };
  const b = { type: s.types?.b ?? ("f32" as const), count: s.n, byK: !s.tb, vec4: aligned(s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead) };
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
        ...epilogue(s),
        BROADCAST: broadcast,
        SWAP: swap,
        TAIL: s.k % 4 !== 0,
        ROWS: tile.rows,
        QUADS: tile.rows / 4,
        COLS: cols,
        LANES: lanes,
        SLOTS: slots,
        LEFT: left.vec4 ? fours[left.type] : left.type,
        LEFT_VEC4: left.vec4,
        LEFT_BY_K: left.byK,
        LEFT_ACROSS: left.vec4 && left.byK,
        RIGHT: right.vec4 ? fours[right.type] : right.type,
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

const gpuProcessors = 100;

const tiled = (s: MatmulShape, { rows, cols }: Tile): Costed => {
  // Steps of k in workgroup memory at a time: 16 KiB are there on every adapter.
  const depth = Math.max(rows, cols) > 4 ? 8 : 16;
  const tiles = Math.ceil(s.m / (16 * rows)) * Math.ceil(s.n / (16 * cols)) * s.batch;
  return {
    plan: {
      kernel: "matmul-tiled",
      constants: {
        ...epilogue(s),
        A: s.types?.a ?? "f32",
        B: s.types?.b ?? "f32",
        ROWS: rows,
        COLS: cols,
        DEPTH: depth,
        A_LOADS: (rows * depth) / 16,
        B_LOADS: (cols * depth) / 16,
      },
      grid: foldGroups(tiles),
    },
    // What the slowest processor of a GPU with about a hundred of them does; a sum costs two reads shared by a row or a column of sums.
    cost: Math.ceil(tiles / gpuProcessors) * (s.k * (rows * cols + 2 * (rows + cols)) + 100 * rows * cols),
  };
};

const gpuTiles: readonly Tile[] = [8, 4, 2, 1].map((side) => ({ rows: side, cols: side }));

/** By cost, cheapest first, each text once. */
const ranked = (candidates: readonly Costed[]): readonly MatmulPlan[] => {
  const plans = [...candidates].sort((x, y) => x.cost - y.cost).map(({ plan }): readonly [string, MatmulPlan] => [JSON.stringify(plan), plan]);
  return [...new Map(plans).values()];
};

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

/** The plans that the adapter can run for this shape, best guess first. They give the same bits. */
export const matmulVariants = (adapter: Adapter, shape: MatmulShape): readonly MatmulPlan[] => {
  const inRegisters = registerPlans(adapter, shape);
  const throughMemory = ranked(gpuTiles.map((tile) => tiled(shape, tile)));
  // Barriers are dear where threads are emulated.
  return adapter.kind === "gpu" ? [...throughMemory, ...inRegisters] : [...inRegisters, ...throughMemory];
};
