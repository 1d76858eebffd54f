/**
 * How attention becomes launches, forward and backward, and in which tiles.
 *
 * ```ts
 * attentionPlans(bounds, shape, "attention")[0] // the best guess; all of them give the same bits
 * ```
 */
import type { Bounds } from "./bounds.ts";
import type { Dims } from "./dims.ts";
import { foldGroups, launch, type Grid, type Launch, type Operands } from "./launch.ts";
import type { Constants } from "./template.ts";

/** The sizes of attention: q is [batch, queries, heads · width], k and v are [batch, keys, heads / share · width]. */
export interface AttentionShape {
  readonly batch: number;
  readonly heads: number;
  /** Consecutive heads of queries that have one head of keys and values in common. */
  readonly share: number;
  readonly queries: number;
  readonly keys: number;
  /** Of one head. */
  readonly width: number;
}

/** Which of q, k, v and o are stored as "f16"; the others are f32. */
export type AttentionTypes = Readonly<Partial<Record<"q" | "k" | "v" | "o", string>>>;

/** The kernels that walk over tiles of scores. */
export type AttentionKernel = "attention" | "attention-grad-queries" | "attention-grad-keys";

/** A way to compute one shape: the constants of a kernel and its grid. */
export interface AttentionPlan {
  readonly constants: Constants;
  readonly grid: Grid;
}

/** The widest head that the kernels take. */
const widest = 128;

/** The workgroup memory that WebGPU guarantees, in bytes. */
const guaranteed = 16384;

/** Accumulators, four numbers each, that a thread has registers for. */
const mostSums = { attention: 16, "attention-grad-queries": 12, "attention-grad-keys": 10 };

/** Workgroups that a GPU has room for at a time, about: in a smaller grid, smaller workgroups are done sooner. */
const resident = 512;

/** What a tile costs beside its rows, in rows of a thread: loads that all of them share. */
const overhead = 1;

/**
 * The plans of a kernel that fit the workgroup memory of a device, the best guess first. They differ in the rows that a workgroup keeps: more rows read less
 * from memory, fewer leave less of the last tile empty and fill a GPU with a small grid.
 */
export const attentionPlans = (bounds: Bounds, shape: AttentionShape, kernel: AttentionKernel): readonly AttentionPlan[] => {
  const { batch, heads, share, queries, keys, width } = shape;
  const [KEPT, rows, outer] =
    kernel === "attention" ? [1, queries, heads] : kernel === "attention-grad-queries" ? [2, queries, heads] : [2, keys, heads / share];
  const DEPTH = Math.ceil(width / 4);
  const WIDE = Math.ceil(DEPTH / 8);
  const stride = DEPTH | 1;
  const fits = (ROWS: number): boolean => {
    const bytes = 16 * ((8 * ROWS * KEPT + 32) * stride + 8 * ROWS * 9) + (kernel === "attention" ? 32 * ROWS : 0);
    return ROWS === 1 ? bytes <= workgroupBytes : bytes <= workgroupBytes && ROWS * WIDE <= mostSums[kernel];
  };
  const { workgroupBytes = guaranteed } = bounds;
  const groups = (ROWS: number): number => batch * outer * Math.ceil(rows / (8 * ROWS));
  const cost = (ROWS: number): number => Math.max(groups(ROWS), resident) * (ROWS + overhead);
  return [1, 2, 3, 4, 5, 6, 7, 8]
    .filter((ROWS) => width <= widest && fits(ROWS))
    .sort((x, y) => cost(x) - cost(y))
    .map((ROWS) => ({
      constants: { ROWS, DEPTH, WIDE, KEPT, VEC4: width % 4 === 0, GRADIENT: KEPT === 2, OUTPUT: kernel === "attention-grad-queries" },
      grid: foldGroups(groups(ROWS)),
    }));
};

/** Whether the kernels take the shape on a device: its heads fit the workgroup memory, and every operand fits a binding. */
export const attentionFits = (bounds: Bounds, shape: AttentionShape): boolean => {
  const { batch, heads, share, queries, keys, width } = shape;
  const largest = Math.max(batch * heads * queries * Math.max(4, width), (batch * heads * keys * width) / share);
  const kernels: readonly AttentionKernel[] = ["attention", "attention-grad-queries", "attention-grad-keys"];
  return largest <= bounds.maxBinding && kernels.every((kernel) => attentionPlans(bounds, shape, kernel).length > 0);
};

/** The constants that say what the operands are stored as, by fours where `vec4` says so. */
export const attentionTypeConstants = ({ q, k, v, o }: AttentionTypes, vec4: boolean): Constants => {
  const [f16, f32] = vec4 ? ["vec4h", "vec4f"] : ["f16", "f32"];
  const stored = (type: string | undefined): string => (type === "f16" ? f16 : f32);
  return { Q: stored(q), K: stored(k), V: stored(v), O: stored(o), HALF: [q, k, v, o].includes("f16") };
};

const dimsOf = ({ batch, heads, share, queries, keys, width }: AttentionShape, scale: number): Dims<AttentionKernel> => {
  return { batch, heads, share, queries, keys, width, scale };
};

/** The launch of one of the kernels over tiles of scores; `masks` are constants that say which keys a query sees. */
export const attentionLaunch = (
  bounds: Bounds,
  kernel: AttentionKernel,
  shape: AttentionShape,
  scale: number,
  operands: Operands,
  types: AttentionTypes,
  masks: Constants = {},
): Launch => {
  const [plan] = attentionPlans(bounds, shape, kernel);
  const constants = { ...plan.constants, ...attentionTypeConstants(types, shape.width % 4 === 0), ...masks };
  return launch(kernel, dimsOf(shape, scale), operands, plan.grid, constants);
};
