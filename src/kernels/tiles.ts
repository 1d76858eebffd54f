/** Plans of products through workgroup memory (matmul-tiled.wgsl): for GPUs. */
import { foldGroups } from "./launch.ts";
import { formConstants, ranked, type Costed, type MatmulPlan, type MatmulShape, type Tile } from "./matmul.ts";

const gpuProcessors = 100;

const tiled = (s: MatmulShape, { rows, cols }: Tile): Costed => {
  // Steps of k in workgroup memory at a time: 16 KiB are there on every adapter.
  const depth = Math.max(rows, cols) > 4 ? 8 : 16;
  const tiles = Math.ceil(s.m / (16 * rows)) * Math.ceil(s.n / (16 * cols)) * s.batch;
  return {
    plan: {
      kernel: "matmul-tiled",
      constants: {
        ...formConstants(s),
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

/** Plans through workgroup memory for a shape, best guess first. */
export const tilePlans = (shape: MatmulShape): readonly MatmulPlan[] => ranked(gpuTiles.map((tile) => tiled(shape, tile)));
