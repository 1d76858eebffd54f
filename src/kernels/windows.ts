/** Tensors larger than a binding are visited window by window. */
import type { BindingBound, Bounds } from "./bounds.ts";
import { elementLaunch, input, output, type Launch, type Operand } from "./launch.ts";
import type { Constants } from "./template.ts";

/** A run of elements, or of rows, that fits one binding. */
export interface Window {
  readonly first: number;
  readonly count: number;
  /** The window's part of an operand. */
  readonly cut: (operand: Operand) => Operand;
}

/** A part of an operand, in elements. */
export const windowOf = (operand: Operand, offset: number, length: number): Operand => ({ ...operand, offset, length });

/** The windows of whole rows of a [rows, width] matrix that each fit one binding; all begin at a multiple of `unit` elements: of f16 at one of 128. */
export const rowWindows = ({ maxBinding }: BindingBound, rows: number, width: number, unit = 64): readonly Window[] => {
  const step = unit * width;
  const length = Math.max(step, Math.floor(maxBinding / step) * step);
  return Array.from({ length: Math.ceil((rows * width) / length) }, (_, i) => {
    const first = (i * length) / width;
    const count = Math.min(length / width, rows - first);
    return { first, count, cut: (operand) => windowOf(operand, first * width, count * width) };
  });
};

/** The windows of `count` elements that each fit one binding; as {@link rowWindows}. */
export const windows = (bounds: BindingBound, count: number, unit?: number): readonly Window[] => rowWindows(bounds, count, 1, unit);

/** A kernel that updates tensors in place, and the tensors of an operation that it computes. */
export interface UpdateKernel {
  readonly kernel: "adamw" | "sgd" | "soft-threshold";
  /** How many gradients it reads, which come first; then come its numbers. */
  readonly gradients: number;
  /** How many tensors it updates, which come behind the numbers. */
  readonly updated: number;
  /** Whether it keeps what was there where a number is 0, which comes last. */
  readonly keeps: boolean;
  readonly constants?: Constants;
}

/** Launches of a kernel that updates tensors of so many elements. Every window gets all numbers. */
export const updateLaunches = (bounds: Bounds, elements: number, { kernel, gradients, updated, keeps, constants = {} }: UpdateKernel): readonly Launch[] =>
  windows(bounds, elements).map(({ count, cut }) => {
    const read = Array.from({ length: gradients }, (_, i) => cut(input(i)));
    const written = Array.from({ length: updated }, (_, i) => cut(output(i)));
    const fine = keeps ? [input(gradients + 1 + updated)] : [];
    return elementLaunch(kernel, { count }, [...read, input(gradients), ...written, ...fine], keeps ? { ...constants, KEEPS: true } : constants);
  });
