/** Sums of two tensors, of which passes fold a term into the operation that computes the other. */
import { computationOf } from "../ops/expression.ts";
import type { Applied, Node, Tensor } from "../tensor.ts";
import type { Graph } from "./pass.ts";
import { readersOf, source } from "./views.ts";

/** Whether a node is the sum of two tensors of one shape. */
export const isSum = (node: Node): node is Applied => {
  const { expression, meetings } = computationOf(node) ?? { meetings: [] };
  return (
    expression?.steps.length === 1 && expression.steps[0].fn === "add" && meetings.every((meeting) => meeting === "same") && node.outputs[0].dtype === "f32"
  );
};

/** Whether one node alone reads a tensor, such as the sum that it is a term of. */
export const isReadOnce = (t: Tensor, graph: Graph): boolean => readersOf(source(t).node, graph).length === 1 && !graph.isResult(source(t).node);
