/**
 * Gradients that layers with a common input give it are summed one after another, those of their weights and of their low-rank adapters in turn. On GPUs the
 * adapter's, a thin product, becomes a part of the weight's: two launches less a layer, and nothing as large as the input is written for it.
 *
 * The order of the sum changes, (s + w) + t to s + (w + t), so its bits do: CPU adapters, where fused and unfused programs are the same, stay as they are.
 */
import { add } from "../ops/elementwise.ts";
import { withThin } from "../ops/productRewrites.ts";
import { reshape, type Applied, type Tensor } from "../tensor.ts";
import { rewrite, type Graph, type Pass } from "./pass.ts";
import { isReadOnce, isSum } from "./sum.ts";
import { source } from "./views.ts";

/** The terms of a sum in both orders, where the first is a term that only this sum reads. */
const turns = (node: Applied, graph: Graph): readonly (readonly [Tensor, Tensor])[] =>
  [[0, 1] as const, [1, 0] as const].flatMap(([i, j]) => (isReadOnce(node.inputs[i], graph) ? [[node.inputs[i], node.inputs[j]] as const] : []));

/** Folds thin products into the wide ones that they are added to. */
export const thinGradients: Pass = (program, { adapter }) => {
  if (adapter.kind === "cpu") return program;
  return rewrite(program, (node, traced, graph) => {
    if (!isSum(traced)) return undefined;
    for (const [thin, sum] of turns(traced, graph)) {
      const inner = source(sum).node;
      if (!isSum(inner) || !isReadOnce(sum, graph)) continue;
      for (const [wide, rest] of turns(inner, graph)) {
        const folded = withThin(graph.moved(source(wide)), graph.moved(source(thin)));
        if (folded !== undefined) return [reshape(add(graph.moved(rest), reshape(folded, rest.shape)), node.outputs[0].shape)];
      }
    }
    return undefined;
  });
};
