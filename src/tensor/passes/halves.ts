/**
 * Who reads f16 by itself gets it as it is stored: a product, an element-wise operation. The bits are those of the widened values. Everybody else has it
 * widened right before, each reader for itself, so that the widened values do not live long.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import { narrowedFrom } from "../ops/narrow.ts";
import { storedOf, widen } from "../ops/widen.ts";
import { alignment, view, type Node, type Tensor } from "../tensor.ts";
import { isBackward } from "./backward.ts";
import { outputsOf, rewrite, type Pass } from "./pass.ts";
import { located } from "./views.ts";

/** Views of f16 begin at a multiple of so many elements. */
export const halfAlignment = 2 * alignment;

/** The same part of another tensor as a tensor is of what it is a view of, where `of` knows that one. */
const through = (t: Tensor, of: (root: Tensor) => Tensor | undefined): Tensor | undefined => {
  const [root, offset] = located(t);
  if (offset % halfAlignment !== 0) return undefined;
  const other = of(root);
  return other === undefined || root === t ? other : view(other, offset, t.shape);
};

/** The tensor of f16 that a tensor, or what it is a view of, was widened from. */
const storedThrough = (t: Tensor): Tensor | undefined =>
  through(t, (root) => {
    const stored = storedOf(root);
    return stored === root ? undefined : stored;
  });

/** Whether kernels of an adapter can read an input of a node as f16. */
export const canRead = (node: Node, input: number, { adapter }: Pick<Bounds, "adapter">): boolean => {
  const halves = node.kind === "apply" ? node.op.halves : undefined;
  return halves?.inputs[input] === true && (halves.everywhere === true || adapter.features.has("shader-f16"));
};

/** Puts what is stored as f16 in the place of its widened values. */
export const readHalves: Pass = (program, bounds) => {
  const backward = isBackward(program);
  return rewrite(program, (node, traced) => {
    if (node.kind !== "apply") return undefined;
    const inputs = node.inputs.map((input, i): Tensor => {
      const stored = storedThrough(input);
      if (stored === undefined || node.op.name === "widen") return input;
      if (canRead(node, i, bounds)) return stored;
      // The forward pass need not wait for what it has itself.
      const exact = backward(traced) ? undefined : through(stored, narrowedFrom);
      return exact ?? widen(stored);
    });
    if (inputs.every((input, i) => input === node.inputs[i])) return undefined;
    if (inputs.some(({ dtype }) => dtype === "f16"))
      return node.op.halves!.of(
        inputs,
        node.outputs.map(({ dtype }) => dtype),
      );
    return outputsOf({ ...node, inputs });
  });
};
