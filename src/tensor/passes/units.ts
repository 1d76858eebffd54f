/**
 * Mixed precision where an adapter multiplies f16 in units of its own: products of activations run there, their operands rounded as they are read, with sums in
 * f32. The products that a loss reads, and those of matrices alone, such as features with one another, stay f32.
 */
import { multipliedInHalves } from "../ops/matmul.ts";
import { inputsOf, type Node } from "../tensor.ts";
import { isLoss, readsIn } from "./mixed.ts";
import { rewrite, type Pass } from "./pass.ts";

/** Whether a node reads or gives a tensor of three axes or more: the values of a block, or their gradients. */
const ofActivations = (node: Node): boolean => [...inputsOf(node).slice(0, 2), ...node.outputs].some(({ shape }) => shape.length > 2);

/** Has products of activations multiply f16. */
export const multiplyHalves: Pass = (program, { precision, adapter }) => {
  if (precision !== "mixed" || adapter.matrix === undefined) return program;
  const reads = readsIn(program);
  return rewrite(program, (node, traced) => (ofActivations(traced) && !reads(traced).some(isLoss) ? multipliedInHalves(node) : undefined));
};
