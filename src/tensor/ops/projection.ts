/** Moving a tensor into or out of a subspace. */
import { elementGrid, input, launch, output } from "../../kernels/launch.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";
import { matmul } from "./matmul.ts";

/** `x + sign · basis · coefficients`, or the second term alone. */
const combine = (x: Tensor, basis: Tensor, coefficients: Tensor, only: boolean): Tensor => {
  const [rows, width] = x.shape;
  return apply(
    {
      name: only ? "project onto" : "project out",
      lower: () => [
        launch(
          "project",
          { rows, width, rank: basis.shape[1], sign: only ? 1 : -1 },
          only ? [undefined, input(1), input(2), output(0)] : [input(0), input(1), input(2), output(0)],
          elementGrid(size(x.shape)),
          { ONLY: only },
        ),
      ],
      // Both are symmetric maps of x: the gradient goes through the same projection.
      vjp: (_, [dy], [dx]) => [dy && dx ? combine(dy, basis, matmul(basis, dy, { ta: true }), only) : undefined],
    },
    [x, basis, coefficients],
    floats(x.shape),
  );
};

const project = (x: Tensor, basis: Tensor, only: boolean): Tensor => {
  check(x.shape.length === 2 && basis.shape.length === 2 && basis.shape[0] === x.shape[0], "project", () => `${show(x)} and basis ${show(basis)}`);
  return combine(x, basis, matmul(basis, x, { ta: true }), only);
};

/** `x - M Mᵀ x`: what of x [d, n] lies outside of the span of the orthonormal columns of `basis` M [d, k]. */
export const projectOut = (x: Tensor, basis: Tensor): Tensor => project(x, basis, false);
/** `M Mᵀ x`: what of x [d, n] lies inside of the span of the orthonormal columns of `basis` M [d, k]. */
export const projectOnto = (x: Tensor, basis: Tensor): Tensor => project(x, basis, true);
