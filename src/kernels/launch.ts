/**
 * One dispatch, as data: which kernel, specialised how, over which operands.
 *
 * A launch names its operands by number, inputs first; the engine knows which buffers stand behind them.
 */
import type { Bounds } from "./bounds.ts";
import type { Dims, KernelWith } from "./dims.ts";
import type { Kernel } from "./kernel.ts";
import type { Constants } from "./template.ts";

/** A tensor that a launch binds, or a window of it; `offset` and `length` in elements, `offset` a multiple of 64. */
export interface Operand {
  readonly from: "input" | "output" | "scratch";
  readonly index: number;
  readonly offset?: number;
  readonly length?: number;
}

/** A whole input of the operation. */
export const input = (index: number): Operand => ({ from: "input", index });
/** A whole output of the operation. */
export const output = (index: number): Operand => ({ from: "output", index });
/** All of a tensor that the operation needs only while its launches run. */
export const scratch = (index: number): Operand => ({ from: "scratch", index });

/** Operands in the order of the bindings 1, 2, …; `undefined` leaves a number out. */
export type Operands = readonly (Operand | undefined)[];

/** Workgroups along x, y and z. */
export type Grid = readonly [number, number, number];

/** One dispatch of the kernel `K`. */
export interface LaunchOf<K extends Kernel> {
  readonly kernel: K;
  readonly constants: Constants;
  readonly dims: Dims<K>;
  readonly operands: Operands;
  readonly grid: Grid;
}

/** One dispatch of a specialised kernel. */
export type Launch = { readonly [K in Kernel]: LaunchOf<K> }[Kernel];

/** A launch of a kernel over a grid. */
export const launch = <K extends Kernel>(kernel: K, dims: Dims<K>, operands: Operands, grid: Grid, constants: Constants = {}): Launch => {
  const one: LaunchOf<K> = { kernel, constants, dims, operands, grid };
  return one as unknown as Launch;
};

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

/** A launch of an element-wise kernel, whose threads stride over `dims.count` elements. */
export const elementLaunch = <K extends KernelWith<"count">>(kernel: K, dims: Dims<K>, operands: Operands, constants: Constants = {}): Launch =>
  launch(kernel, dims, operands, elementGrid((dims as { readonly count: number }).count), constants);

/** A launch of a row kernel over `dims.rows` rows: a row a workgroup on GPUs, a row a thread on CPU adapters. */
export const rowLaunch = <K extends Exclude<KernelWith<"rows">, KernelWith<"count">>>(
  { adapter }: Bounds,
  kernel: K,
  dims: Dims<K>,
  operands: Operands,
  constants: Constants = {},
): Launch => {
  const { rows } = dims as { readonly rows: number };
  const GROUP = adapter.kind === "gpu";
  return launch(kernel, dims, operands, foldGroups(GROUP ? rows : Math.ceil(rows / 64)), { GROUP, ...constants });
};
