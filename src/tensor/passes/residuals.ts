/** The gradient of a norm and that of the residual beside it are added as the norm's is computed: a launch less, and the norm's own is never written. */
import { computationOf } from "../ops/expression.ts";
import { withResidual } from "../ops/layerNorm.ts";
import { reshape, sameShape, type Node, type Tensor } from "../tensor.ts";
import { rewrite, type Graph, type Pass } from "./pass.ts";
import { readersOf, source } from "./views.ts";

/** Whether a node is the sum of two tensors of one shape. */
export const isSum = (node: Node): node is Node & { readonly kind: "apply" } => {
  const { expression, meetings } = computationOf(node) ?? { meetings: [] };
  return (
    expression?.steps.length === 1 && expression.steps[0].fn === "add" && meetings.every((meeting) => meeting === "same") && node.outputs[0].dtype === "f32"
  );
};

/** Whether nothing but the sum reads a term of it. */
const isOwn = (term: Tensor, graph: Graph): boolean => readersOf(source(term).node, graph).length === 1 && !graph.isResult(source(term).node);

/** Lets gradients of norms add what is added to them. */
export const residualGradients: Pass = (program) =>
  rewrite(program, (node, traced, graph) => {
    if (!isSum(node) || !isSum(traced)) return undefined;
    for (const i of [1, 0]) {
      const [gradient, residual] = [node.inputs[i], node.inputs[1 - i]];
      if (!isOwn(traced.inputs[i], graph) || residual.dtype !== "f32") continue;
      const own = source(gradient);
      const sum = sameShape(own.shape, residual.shape) ? withResidual(own.node, residual) : undefined;
      if (sum !== undefined) return [reshape(sum, node.outputs[0].shape)];
    }
    return undefined;
  });
