/** Plans of products through workgroup memory (matmul-tiled.wgsl): for GPUs. */
import { foldGroups } from "./launch.ts";
import { aligned, formConstants, partTerms, ranked, type Costed, type MatmulPlan, type MatmulShape } from "./matmul.ts";

/** A tile: rows and columns of sums that one thread keeps, threads down and across, and terms of a sum that are in workgroup memory at a time. */
interface Tile {
  readonly rows: number;
  readonly cols: number;
  readonly down: number;
  readonly across: number;
  readonly depth: number;
  /** TFLOP/s on an H100 where the product is large: 33, 30 and 28 were measured of kernels like this one, the others are guesses between them. */
  readonly rate: number;
}

const tiles: readonly Tile[] = [
  { rows: 8, cols: 4, down: 16, across: 16, depth: 16, rate: 33 },
  { rows: 4, cols: 4, down: 16, across: 16, depth: 16, rate: 30 },
  { rows: 8, cols: 8, down: 16, across: 16, depth: 8, rate: 28 },
  { rows: 8, cols: 4, down: 8, across: 16, depth: 16, rate: 31 },
  { rows: 4, cols: 4, down: 8, across: 8, depth: 16, rate: 22 },
  // Few rows or few columns: memory is what they wait for, so more of it is asked for at a time.
  { rows: 4, cols: 4, down: 16, across: 4, depth: 32, rate: 15 },
  { rows: 4, cols: 4, down: 4, across: 16, depth: 32, rate: 15 },
  { rows: 4, cols: 4, down: 8, across: 4, depth: 32, rate: 12 },
  { rows: 4, cols: 4, down: 4, across: 8, depth: 32, rate: 12 },
];

/** Bytes of workgroup memory that every adapter has. */
const guaranteed = 16384;

/** Processors of a GPU (an H100 has 132), and threads that one of them must have at work so that it does not wait for its own results. */
const processors = 132;
const busy = 256;

const lanesAcross = ({ across }: Tile): number => Math.min(8, across);

/** Vectors of four in workgroup memory for a step: rows that are stored along k are a vector longer (see the kernel). */
const vectors = ({ rows, cols, down, across, depth }: Tile, s: MatmulShape): number => {
  const side = (count: number, byK: boolean): number => (byK ? (depth * count) / 4 : count * (depth / 4 + 1));
  return side(rows * down, s.ta) + side(cols * across, !s.tb);
};

const constants = (s: MatmulShape, tile: Tile, memory: number): Constants => {
  const { rows, cols, down, across, depth } = tile;
  const threads = down * across;
  const a = aligned(s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead);
  const b = aligned(s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead);
  const double = 2 * 16 * vectors(tile, s) <= memory;
  return {
    ...formConstants(s),
    SPLIT: s.parts !== undefined,
    TAIL: s.k % depth !== 0 || (s.lowRank && s.r % depth !== 0),
    A: stored(s.types?.a, a),
    B: stored(s.types?.b, b),
    A_VEC4: a,
    B_VEC4: b,
    A_BY_K: s.ta,
    B_BY_K: !s.tb,
    ROWS: rows,
    COLS: cols,
    DOWN: down,
    ACROSS: across,
    THREADS: threads,
    LANES: lanesAcross(tile),
    DEPTH: depth,
    QUADS: depth / 4,
    A_QUADS: rows / 4,
    B_QUADS: cols / 4,
    A_LOADS: (rows * down * depth) / 4 / threads,
    B_LOADS: (cols * across * depth) / 4 / threads,
    BUFFERS: double ? 2 : 1,
    DOUBLE: double,
  };
};

const plan = (s: MatmulShape, tile: Tile, memory: number): Costed => {
  const [height, width] = [tile.rows * tile.down, tile.cols * tile.across];
  const terms = s.parts === undefined ? s.k : partTerms(s.k, s.parts);
  const groups = Math.ceil(s.m / height) * Math.ceil(s.n / width) * s.batch * (s.parts ?? 1);
  // What the processor with the most tiles does. One with few threads waits.
  const most = Math.ceil(groups / processors);
  const waiting = Math.max(1, busy / (most * tile.down * tile.across));
  return {
    plan: { kernel: "matmul-tiled", constants: constants(s, tile, memory), grid: foldGroups(groups) },
    cost: (most * height * width * (terms + 64) * waiting) / tile.rate,
  };
};

/** Plans through workgroup memory of so many bytes for a shape, best guess first. */
export const tilePlans = (shape: MatmulShape, memory: number = guaranteed): readonly MatmulPlan[] =>
  ranked(tiles.filter((tile) => 16 * vectors(tile, shape) <= memory).map((tile) => plan(shape, tile, memory)));
