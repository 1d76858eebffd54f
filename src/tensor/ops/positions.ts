/** Where the tokens of a batch stand, for the operations that depend on it. */
import { input, type Operand } from "../../kernels/launch.ts";
import { check, show, size, type Tensor } from "../tensor.ts";

/** Where the tokens of a batch stand; what is not given is 0. */
export interface Positions {
  /** How many tokens of padding stand before the first real one of every row: u32 [batch]. */
  readonly starts?: Tensor;
  /** How many tokens went before those of this run, which are kept elsewhere: u32 [1]. */
  readonly at?: Tensor;
}

/** Fails where `starts` is not u32 [batch] or `at` not u32 [1]. */
export const checkPositions = (op: string, batch: number, { starts, at }: Positions): void => {
  const fits = (t: Tensor | undefined, count: number): boolean => t === undefined || (t.dtype === "u32" && size(t.shape) === count);
  check(fits(starts, batch), op, () => `starts ${show(starts!)} for ${batch} rows`);
  check(fits(at, 1), op, () => `at ${show(at!)}, not u32[1]`);
};

/** The tensors among positions, and the operands and constants of the kernels that read them: they come behind `inputs` tensors. */
export const boundPositions = (
  inputs: number,
  { starts, at }: Positions,
): { readonly tensors: readonly Tensor[]; readonly operands: readonly (Operand | undefined)[]; readonly constants: { STARTS: boolean; AT: boolean } } => ({
  tensors: [starts, at].filter((t) => t !== undefined),
  operands: [starts && input(inputs), at && input(inputs + (starts === undefined ? 0 : 1))],
  constants: { STARTS: starts !== undefined, AT: at !== undefined },
});
