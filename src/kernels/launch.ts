/**
 * One dispatch, as data: which kernel, specialised how, over which operands.
 *
 * A launch names its operands by number, inputs first; the engine knows which buffers stand behind them. The `Dims` of a kernel are
 * a list of words in the order of its struct; {@link f32} marks the words that are floats.
 */
import type { Adapter } from "../device/device.ts";
import type { Kernel } from "./kernel.ts";
import type { Constants } from "./template.ts";

/** One word of a kernel's `Dims`: a plain number is u32 (or i32, when negative). */
export type Word = number | { readonly f32: number };

/** A float word. */
export const f32 = (value: number): Word => ({ f32: value });

/** A tensor that a launch binds, or a window of it; `offset` and `length` in elements, `offset` a multiple of 64. */
export interface Operand {
  readonly from: "input" | "output";
  readonly index: number;
  readonly offset?: number;
  readonly length?: number;
}

/** A whole input of the operation. */
export const input = (index: number): Operand => ({ from: "input", index });
/** A whole output of the operation. */
export const output = (index: number): Operand => ({ from: "output", index });
/** A window of an operand, in elements. */
export const windowOf = (operand: Operand, offset: number, length: number): Operand => ({ ...operand, offset, length });

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

/** One dispatch of a specialised kernel. */
export interface Launch {
  readonly kernel: Kernel;
  readonly constants: Constants;
  readonly dims: readonly Word[];
  /** In the order of the bindings 1, 2, …; `undefined` leaves a number out. */
  readonly operands: readonly (Operand | undefined)[];
  readonly grid: Grid;
}

/** What grids and windows depend on. */
export interface Bounds {
  readonly adapter: Adapter;
  /** Elements of four bytes in the largest storage binding. */
  readonly maxBinding: number;
}

const maxGroups = 65535;

/** A grid of `groups` workgroups, folded over x and y where one dimension cannot hold them. */
export const foldGroups = (groups: number): Grid => {
  const x = Math.min(groups, maxGroups);
  return [x, x === 0 ? 0 : Math.ceil(groups / x), 1];
};

/** Workgroups of an element-wise kernel at most: its threads stride, and on CPU adapters starting a workgroup costs more than its work. */
const elementGroups = 2048;

/** The grid of an element-wise kernel of 64 threads a workgroup. */
export const elementGrid = (count: number): Grid => foldGroups(Math.min(elementGroups, Math.ceil(count / 64)));

/** The grid of a row kernel: a row a workgroup on GPUs, a row a thread on CPU adapters. */
export const rowGrid = ({ adapter }: Bounds, rows: number): Grid => foldGroups(adapter.kind === "gpu" ? rows : Math.ceil(rows / 64));

/** The constants of a row kernel that go with {@link rowGrid}. */
export const rowConstants = ({ adapter }: Bounds): { readonly GROUP: boolean } => ({ GROUP: adapter.kind === "gpu" });

/** Cuts `count` elements into windows that fit one binding; the cuts are multiples of `step` (itself a multiple of 64 elements). */
export const windows = ({ maxBinding }: Bounds, count: number, step = 64): readonly { readonly offset: number; readonly length: number }[] => {
  const size = Math.max(step, Math.floor(maxBinding / step) * step);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => ({ offset: i * size, length: Math.min(size, count - i * size) }));
};

/** The windows of whole rows of a [rows, width] matrix that each fit one binding. */
export const rowWindows = (bounds: Bounds, rows: number, width: number): readonly { readonly first: number; readonly count: number }[] =>
  windows(bounds, rows * width, 64 * width).map(({ offset, length }) => ({ first: offset / width, count: length / width }));
