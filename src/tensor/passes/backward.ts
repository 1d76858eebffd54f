/** Which nodes of a program are its backward pass. */
import { isSeed } from "../gradient.ts";
import type { Program } from "../program.ts";
import { inputsOf, type Node } from "../tensor.ts";

/** The attribute of an operation of the forward pass that is computed again for the backward pass. */
export const recomputed = { recomputed: true } as const;

const isRecomputed = (node: Node): boolean => node.kind === "apply" && node.op.attributes?.recomputed === true;

/** Whether a node of the program depends on the seed of a gradient, or is computed again: the backward pass, and the update that follows from it. */
export const isBackward = ({ schedule }: Pick<Program, "schedule">): ((node: Node) => boolean) => {
  const backward = new Set<Node>();
  for (const node of schedule) {
    if (isSeed(node) || isRecomputed(node) || inputsOf(node).some((t) => backward.has(t.node))) backward.add(node);
  }
  return (node) => backward.has(node);
};
