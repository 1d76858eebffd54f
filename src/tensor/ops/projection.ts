/** Moving rows out of a subspace. */
import { projectionLaunch, projectionShape } from "../../kernels/product.ts";
import { apply, check, floats, show, type Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";

/** `x - x M Mᵀ`: what of the rows of x [n, d] lies outside of the span of the orthonormal columns of `basis` M [d, k]. No gradient flows to the basis. */
export const projectOut = (x: Tensor, basis: Tensor): Tensor => {
  check(x.shape.length === 2 && basis.shape.length === 2 && basis.shape[0] === x.shape[1], "projectOut", () => `${show(x)} and basis ${show(basis)}`);
  const shape = projectionShape(x.shape[0], x.shape[1], basis.shape[1]);
  return apply(
    {
      name: "projectOut",
      products: () => [shape],
      lower: (target) => [projectionLaunch(target, shape)],
      // A symmetric map of the rows: the gradient goes through the same projection.
      vjp: (_, [dy], [, , dx]) => [undefined, undefined, dy && dx ? projectOut(dy, basis) : undefined],
    },
    [matmul(x, basis), basis, x],
    floats(x.shape),
  );
};
