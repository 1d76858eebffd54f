/** Products that are split along k, in two operations: their parts, and the sums of those of many products at once. */
import type { Bounds } from "../../kernels/bounds.ts";
import { partsLaunch, productShapes } from "../../kernels/product.ts";
import { partialElements, sumsLaunch } from "../../kernels/split.ts";
import { apply, floats, inputsOf, size, type Node, type Tensor } from "../tensor.ts";
import { recipeOf, sizesOf, type Recipe } from "./product.ts";

/** How many parts a product is split into that is nothing but its sums; undefined for another node, and where it is not split. */
export const partsOf = (node: Node, bounds: Bounds): number | undefined => {
  const recipe = recipeOf(node);
  if (recipe === undefined || inputsOf(node).length > 2 || recipe.more !== undefined || recipe.half === true) return undefined;
  const [shape, ...others] = productShapes(bounds, sizesOf(recipe));
  return others.length === 0 ? shape.parts : undefined;
};

const partsFrom = (inputs: readonly Tensor[], recipe: Recipe, parts: number): Tensor => {
  const sizes = sizesOf(recipe);
  return apply(
    {
      name: "parts of matmul",
      products: (bounds) => productShapes(bounds, sizes),
      halves: { inputs: [true, true], outputs: [false], of: ([a, b]) => [partsFrom([a, b], { ...recipe, a, b }, parts)] },
      lower: (target) => [partsLaunch(target, sizes, recipe.form.scale, parts)],
    },
    inputs,
    floats([partialElements(sizes, parts) / parts / 64, parts, 64]),
  );
};

/** The parts of a product that is split into so many: those of 64 elements of its value together, [elements / 64, parts, 64]. */
export const inParts = (node: Node, parts: number): Tensor => partsFrom(inputsOf(node), recipeOf(node)!, parts);

/** The sums of parts that lie like those of one product: the values of products whose parts lie one behind the other. */
export const sumOfParts = (x: Tensor, parts: number): Tensor => {
  const count = size(x.shape) / parts;
  return apply({ name: "sum of parts", lower: () => [sumsLaunch(count, parts)] }, [x], floats([count]));
};
