/** Floating-point operations of a program: computed from its matrix products, never quoted. */
import { matmulShapes, type Program } from "./program.ts";

/** Multiplications and additions of all matrix products of one run, epilogues included; everything else is not counted. */
export const matmulFlops = (program: Program): number =>
  matmulShapes(program, { maxBinding: Infinity }).reduce((total, { m, n, k, r, batch }) => total + 2 * batch * m * n * (k + r), 0);
