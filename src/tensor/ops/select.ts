/** Which elements of a row are the largest. */
import { elementLaunch, input, output } from "../../kernels/launch.ts";
import { apply, check, floats, show, size, type Tensor } from "../tensor.ts";

/**
 * The mask of the `k` largest elements of every row of x [.., n]: 1 there, 0 elsewhere; of equal elements those with the lowest indices.
 * A NaN counts as larger than every number. `k` of n or more gives ones. No gradient flows to x. Costs n² comparisons a row.
 * Fails (while tracing) where k is not a whole number, or x not of f32.
 */
export const topMask = (x: Tensor, k: number): Tensor => {
  check(x.dtype === "f32" && x.shape.length > 0, "topMask", () => `${show(x)} has no rows of f32`);
  check(Number.isInteger(k) && k >= 0, "topMask", () => `${k} elements of a row`);
  const [count, width] = [size(x.shape), x.shape[x.shape.length - 1]];
  return apply(
    {
      name: "topMask",
      lower: () => [elementLaunch("top-mask", { count, width, k: Math.min(k, width) }, [input(0), output(0)])],
      vjp: () => [],
    },
    [x],
    floats(x.shape),
  );
};
