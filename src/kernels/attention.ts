/**
 * How attention becomes launches, forward and backward, and in which tiles.
 *
 * ```ts
 * attentionPlans(bounds, shape, "attention")[0] // the best guess; all of them give the same bits
 * ```
 */
import { guaranteedWorkgroupBytes, type Bounds } from "./bounds.ts";
import type { Dims } from "./dims.ts";
import { residentGroups } from "./gpu.ts";
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
export const widestHead = 128;

/** Accumulators, four numbers each, that a thread has registers for. */
const mostSums = { attention: 16, "attention-grad-queries": 12, "attention-grad-keys": 10 };

/** What a tile costs beside its rows, in rows of a thread: loads that all of them share. */
const overhead = 1;

/** The rows of one side, of which a workgroup keeps some; how many operands have such rows, and how many heads. */
const keptBy = (kernel: AttentionKernel, { heads, share, queries, keys }: AttentionShape): readonly [KEPT: number, rows: number, heads: number] =>
  kernel === "attention" ? [1, queries, heads] : kernel === "attention-grad-queries" ? [2, queries, heads] : [2, keys, heads / share];

/** The plan in which a thread has so many rows. */
const planOf = (shape: AttentionShape, kernel: AttentionKernel, ROWS: number): AttentionPlan & { readonly bytes: number; readonly cost: number } => {
  const { batch, width } = shape;
  const [KEPT, rows, heads] = keptBy(kernel, shape);
  const DEPTH = Math.ceil(width / 4);
  const groups = batch * heads * Math.ceil(rows / (8 * ROWS));
  return {
    constants: { ROWS, DEPTH, WIDE: Math.ceil(DEPTH / 8), KEPT, VEC4: width % 4 === 0, GRADIENT: KEPT === 2, OUTPUT: kernel === "attention-grad-queries" },
    grid: foldGroups(groups),
    bytes: 16 * ((8 * ROWS * KEPT + 32) * (DEPTH | 1) + 8 * ROWS * 9) + (kernel === "attention" ? 32 * ROWS : 0),
    cost: Math.max(groups, residentGroups) * (ROWS + overhead),
  };
};

/**
 * The plans of a kernel that fit the workgroup memory of a device, the best guess first. They differ in the rows that a workgroup keeps: more rows read less
 * from memory, fewer leave less of the last tile empty and fill a GPU with a small grid.
 */
export const attentionPlans = (
  { workgroupBytes = guaranteedWorkgroupBytes }: Bounds,
  shape: AttentionShape,
  kernel: AttentionKernel,
): readonly AttentionPlan[] =>
  [1, 2, 3, 4, 5, 6, 7, 8]
    .filter((ROWS) => shape.width <= widestHead && (ROWS === 1 || ROWS * Math.ceil(shape.width / 32) <= mostSums[kernel]))
    .map((ROWS) => planOf(shape, kernel, ROWS))
    .filter(({ bytes }) => bytes <= workgroupBytes)
    .sort((x, y) => x.cost - y.cost);

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

/**
 * The launch of one of the kernels over tiles of scores; `masks` are constants that say which keys a query sees. Where no plan fits the device, it refuses the
 * kernel.
 */
export const attentionLaunch = (
  bounds: Bounds,
  kernel: AttentionKernel,
  shape: AttentionShape,
  scale: number,
  operands: Operands,
  types: AttentionTypes,
  masks: Constants = {},
): Launch => {
  const [plan = planOf(shape, kernel, 1)] = attentionPlans(bounds, shape, kernel);
  const constants = { ...plan.constants, ...attentionTypeConstants(types, shape.width % 4 === 0), ...masks };
  return launch(kernel, dimsOf(shape, scale), operands, plan.grid, constants);
};
