/** Which nodes of a program are its backward pass. */
import { isSeed } from "../gradient.ts";
import type { Program } from "../program.ts";
import { inputsOf, type Node } from "../tensor.ts";

/** Whether a node of the program depends on the seed of a gradient, or is computed again: the backward pass, and the update that follows from it. */
export const isBackward = ({ schedule, recomputed }: Pick<Program, "schedule" | "recomputed">): ((node: Node) => boolean) => {
  const backward = new Set<Node>();
  for (const node of schedule) {
    if (isSeed(node) || recomputed?.has(node) || inputsOf(node).some((t) => backward.has(t.node))) backward.add(node);
  }
  return (node) => backward.has(node);
};
