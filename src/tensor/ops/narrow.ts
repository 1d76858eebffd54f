/** From f32 to f16, in which passes store values. */
import { oneStep } from "../../kernels/expression.ts";
import { check, show, type Tensor } from "../tensor.ts";
import { computeAll } from "./expression.ts";

const name = "narrow";

/**
 * The values of a tensor rounded to f16, which `widen` gives back. Its kernel needs `shader-f16`. WGSL leaves it to the adapter to which of the two neighbours
 * a value is rounded; the tests hold that it is the nearest, and of two as near the even one.
 */
export const narrow = (x: Tensor): Tensor => {
  check(x.dtype === "f32", name, () => `${show(x)} is not of f32`);
  return computeAll(name, oneStep("same"), [[x, "same"]], x.shape, undefined, ["f16"])[0];
};

/** What a tensor of f16 was before it was rounded; undefined where it was computed as f16. */
export const narrowedFrom = ({ node }: Tensor): Tensor | undefined => (node.kind === "apply" && node.op.name === name ? node.inputs[0] : undefined);
