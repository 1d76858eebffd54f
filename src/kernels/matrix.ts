/** Plans of products on subgroup matrices (matmul-matrix.wgsl): for GPUs that multiply f16 in units of their own. */
import type { MatrixUnit } from "../device/device.ts";
import { guaranteedWorkgroupBytes, type Bounds } from "./bounds.ts";
import { processors } from "./gpu.ts";
import { foldGroups } from "./launch.ts";
import { aligned, formConstants, partTerms, ranked, type Costed, type MatmulPlan, type MatmulShape } from "./matmul.ts";

/** A tile of a workgroup, the part of it that a subgroup makes, and steps of k in workgroup memory at a time. */
interface MatrixTile {
  readonly rows: number;
  readonly cols: number;
  readonly subRows: number;
  readonly subCols: number;
  readonly depth: number;
}

/** Four or eight subgroups; the narrow ones are for products with few rows or columns. */
const tiles: readonly MatrixTile[] = [
  { rows: 128, cols: 128, subRows: 64, subCols: 32, depth: 16 },
  { rows: 128, cols: 64, subRows: 64, subCols: 32, depth: 16 },
  { rows: 64, cols: 64, subRows: 32, subCols: 32, depth: 32 },
  { rows: 64, cols: 64, subRows: 32, subCols: 32, depth: 16 },
  { rows: 128, cols: 32, subRows: 32, subCols: 32, depth: 32 },
  { rows: 32, cols: 128, subRows: 32, subCols: 32, depth: 32 },
  { rows: 64, cols: 16, subRows: 16, subCols: 16, depth: 32 },
  { rows: 16, cols: 64, subRows: 16, subCols: 16, depth: 32 },
  { rows: 32, cols: 32, subRows: 16, subCols: 16, depth: 16 },
];

/** Threads of a workgroup that WebGPU guarantees. */
const mostThreads = 256;

/** What plans on units depend on. */
type MatrixBounds = Pick<Bounds, "adapter" | "workgroupBytes">;

/** An operand as the kernel reads it: by one or by four, as it is stored until it is rounded. */
const types = { f32: { one: "f32", four: "vec4f" }, f16: { one: "f16", four: "vec4h" } } as const;

const planned = (s: MatmulShape, { m, n, k, lanes, emulated }: MatrixUnit, tile: MatrixTile, workgroupBytes: number): Costed | undefined => {
  const { rows, cols, subRows, subCols, depth } = tile;
  const subgroups = (rows / subRows) * (cols / subCols);
  const threads = subgroups * lanes;
  // Two stages, whose lines are eight elements longer, and a matrix of sums of every subgroup.
  const lines = (s.ta ? depth * (rows + 8) : rows * (depth + 8)) + (s.tb ? cols * (depth + 8) : depth * (cols + 8));
  const [aLoads, bLoads] = [(rows * depth) / 4 / threads, (cols * depth) / 4 / threads];
  const whole = [aLoads, bLoads, subRows / m, subCols / n, depth / k].every(Number.isInteger);
  if (!whole || threads > mostThreads || 4 * lines + 4 * subgroups * m * n > workgroupBytes) return undefined;
  const [aVec4, bVec4] = [aligned(s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead), aligned(s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead)];
  const [a, b] = [types[s.types?.a ?? "f32"], types[s.types?.b ?? "f32"]];
  const workgroups = Math.ceil(s.m / rows) * Math.ceil(s.n / cols) * s.batch * (s.parts ?? 1);
  return {
    plan: {
      kernel: "matmul-matrix",
      constants: {
        ...formConstants(s),
        ...{ ROWS: rows, COLS: cols, SUB_ROWS: subRows, SUB_COLS: subCols, DEPTH: depth, THREADS: threads, LANES: lanes, MM: m, MN: n, MK: k },
        ...{ A: aVec4 ? a.four : a.one, B: bVec4 ? b.four : b.one, A_VEC4: aVec4, B_VEC4: bVec4, FOUR_A: a.four, FOUR_B: b.four, ONE_A: a.one, ONE_B: b.one },
        ...{ A_LOADS: aLoads, B_LOADS: bLoads, DOWN: subRows / m, ACROSS: subCols / n, TURNS: depth / k },
        SPLIT: s.parts !== undefined,
        ...(emulated ? { EMULATED: true } : {}),
      },
      grid: foldGroups(workgroups),
    },
    // What the slowest processor does: a step of k reads a row and a column of the tile, and multiplies them.
    cost: Math.ceil(workgroups / processors) * ((s.parts === undefined ? s.k : partTerms(s.k, s.parts)) * (rows + cols + (rows * cols) / 32) + 4 * rows * cols),
  };
};

/**
 * Plans on the units of an adapter that fit its workgroup memory, best guess first, for what may be multiplied in f16; none for other products, and where
 * there are no units. They give the same bits. P is stored by rows, and so must A be beside it.
 */
export const matrixPlans = (bounds: MatrixBounds, shape: MatmulShape): readonly MatmulPlan[] => {
  const {
    adapter: { matrix },
    workgroupBytes = guaranteedWorkgroupBytes,
  } = bounds;
  if (matrix === undefined || shape.multiply !== "f16" || (shape.lowRank && shape.ta)) return [];
  return ranked(tiles.flatMap((tile) => planned(shape, matrix, tile, workgroupBytes) ?? []));
};
