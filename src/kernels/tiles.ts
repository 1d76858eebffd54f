/** Plans of products through workgroup memory (matmul-tiled.wgsl): for GPUs. */
import type { Adapter } from "../device/device.ts";
import { guaranteedWorkgroupBytes } from "./bounds.ts";
import { processors } from "./gpu.ts";
import { foldGroups } from "./launch.ts";
import { aligned, formConstants, partTerms, ranked, stored, type Costed, type MatmulPlan, type MatmulShape } from "./matmul.ts";
import type { Constants } from "./template.ts";

/** A tile: rows and columns of sums that one thread keeps, threads down and across, and terms of a sum that are in workgroup memory at a time. */
interface Tile {
  readonly rows: number;
  readonly cols: number;
  readonly down: number;
  readonly across: number;
  readonly depth: number;
  /** The share of the adapter's peak that its sums reach when nothing else is waited for. */
  readonly share: number;
}

// An H100 (peak 60 TFLOP/s) was measured to give 33, 30 and 28 TFLOP/s with kernels like the first three; the other shares follow from sums for each read.
const tiles: readonly Tile[] = [
  { rows: 8, cols: 4, down: 16, across: 16, depth: 16, share: 0.55 },
  { rows: 4, cols: 4, down: 16, across: 16, depth: 16, share: 0.5 },
  { rows: 8, cols: 8, down: 16, across: 16, depth: 8, share: 0.47 },
  { rows: 8, cols: 4, down: 8, across: 16, depth: 16, share: 0.52 },
  { rows: 4, cols: 4, down: 8, across: 8, depth: 16, share: 0.5 },
  // Few rows or few columns: memory is what they wait for, so more of it is asked for at a time.
  { rows: 4, cols: 4, down: 16, across: 4, depth: 32, share: 0.5 },
  { rows: 4, cols: 4, down: 4, across: 16, depth: 32, share: 0.5 },
  { rows: 4, cols: 4, down: 8, across: 4, depth: 32, share: 0.5 },
  { rows: 4, cols: 4, down: 4, across: 8, depth: 32, share: 0.5 },
];

/** What tiles depend on. */
interface TileBounds {
  readonly adapter: Pick<Adapter, "kind">;
  /** Bytes of workgroup memory. Default {@link guaranteedWorkgroupBytes}: all tiles fit. */
  readonly workgroupBytes?: number;
}

/** Sums that a processor of a GPU adds to at a time, and bytes that it gets at a time. */
const processor = { sums: 128, bytes: 32 };

/** What a processor must have at work so that it does not wait: threads for its own results, bytes on their way for memory. */
const busy = { threads: 128, bytes: 16384 };

/** Terms that starting and ending a tile cost. */
const start = 64;

/** Cycles of the processor with the most tiles. */
const cycles = ({ rows, cols, down, across, depth, share }: Tile, groups: number, terms: number): number => {
  const [height, width] = [rows * down, cols * across];
  const most = Math.ceil(groups / processors);
  const sums = (height * width) / processor.sums / share / Math.min(1, (most * down * across) / busy.threads);
  const bytes = (4 * (height + width)) / processor.bytes / Math.min(1, (most * 4 * (height + width) * depth) / busy.bytes);
  return most * (terms + start) * (sums + bytes);
};

const lanesAcross = ({ across }: Tile): number => Math.min(8, across);

/** Vectors of four in workgroup memory for a step: rows that are stored along k are a vector longer (see the kernel). */
const vectors = ({ rows, cols, down, across, depth }: Tile, s: MatmulShape): number => {
  const side = (count: number, byK: boolean): number => (byK ? (depth * count) / 4 : count * (depth / 4 + 1));
  return side(rows * down, s.ta) + side(cols * across, !s.tb);
};

const constants = ({ adapter, workgroupBytes = guaranteedWorkgroupBytes }: TileBounds, s: MatmulShape, tile: Tile): Constants => {
  const { rows, cols, down, across, depth } = tile;
  const threads = down * across;
  const a = aligned(s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead);
  const b = aligned(s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead);
  const double = 2 * 16 * vectors(tile, s) <= workgroupBytes;
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
    // A rasteriser in software takes seconds to compile what is written out.
    UNROLL: adapter.kind === "gpu" ? depth / 4 : 1,
    A_QUADS: rows / 4,
    B_QUADS: cols / 4,
    A_LOADS: (rows * down * depth) / 4 / threads,
    B_LOADS: (cols * across * depth) / 4 / threads,
    BUFFERS: double ? 2 : 1,
    DOUBLE: double,
  };
};

const plan = (bounds: TileBounds, s: MatmulShape, tile: Tile): Costed => {
  const [height, width] = [tile.rows * tile.down, tile.cols * tile.across];
  const groups = Math.ceil(s.m / height) * Math.ceil(s.n / width) * s.batch * (s.parts ?? 1);
  const terms = s.parts === undefined ? s.k : partTerms(s.k, s.parts);
  return { plan: { kernel: "matmul-tiled", constants: constants(bounds, s, tile), grid: foldGroups(groups) }, cost: cycles(tile, groups, terms) };
};

/** Plans through workgroup memory for a shape, best guess first. */
export const tilePlans = (bounds: TileBounds, shape: MatmulShape): readonly MatmulPlan[] => ranked(tiles.map((tile) => plan(bounds, shape, tile)));
