/** Floating-point operations of a program: computed from its matrix products, never quoted. */
import type { Program } from "./program.ts";
import { size, type Tensor } from "./tensor.ts";

/** Multiplications and additions of all matrix products of one run, epilogues included; everything else is not counted. */
export const matmulFlops = (program: Program): number =>
  program.schedule.reduce((total, node) => {
    if (node.kind !== "apply" || node.op.name !== "matmul") return total;
    const { inner, lowRank } = node.op.attributes as { readonly inner: number; readonly lowRank?: { readonly p: Tensor } };
    const rank = lowRank === undefined ? 0 : lowRank.p.shape[lowRank.p.shape.length - 1];
    return total + 2 * size(node.outputs[0].shape) * (inner + rank);
  }, 0);
