/** The gradient of a norm and that of the residual beside it are added as the norm's is computed: a launch less, and the norm's own is never written. */
import { withResidual } from "../ops/layerNorm.ts";
import { reshape, sameShape } from "../tensor.ts";
import { rewrite, type Pass } from "./pass.ts";
import { isReadOnce, isSum } from "./sum.ts";
import { source } from "./views.ts";

/** Lets gradients of norms add what is added to them. */
export const residualGradients: Pass = (program) =>
  rewrite(program, (node, traced, graph) => {
    if (!isSum(node) || !isSum(traced)) return undefined;
    for (const i of [1, 0]) {
      const [gradient, residual] = [node.inputs[i], node.inputs[1 - i]];
      if (!isReadOnce(traced.inputs[i], graph) || residual.dtype !== "f32") continue;
      const own = source(gradient);
      const sum = sameShape(own.shape, residual.shape) ? withResidual(own.node, residual) : undefined;
      if (sum !== undefined) return [reshape(sum, node.outputs[0].shape)];
    }
    return undefined;
  });
