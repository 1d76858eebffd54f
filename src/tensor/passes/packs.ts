/** Packs whose parts are computed together. */
import type { Pack } from "../lives.ts";
import { aligned, pack, size, type Tensor } from "../tensor.ts";
import { isSame, located } from "./views.ts";

/** A pack that has a tensor as one part where neighbouring parts are all of it; undefined where none are. */
export const mergedPack = (node: Pack): readonly Tensor[] | undefined => {
  const [parts, offsets]: [Tensor[], number[]] = [[], []];
  for (let i = 0; i < node.parts.length; ) {
    const [root] = located(node.parts[i]);
    let [end, length] = [i, 0];
    while (
      end < node.parts.length &&
      isSame(located(node.parts[end])[0], root) &&
      located(node.parts[end])[1] === length &&
      node.offsets[end] - node.offsets[i] === length
    ) {
      length += aligned(size(node.parts[end++].shape));
    }
    const whole = end - i > 1 && length === size(root.shape) && root.node.kind === "apply";
    parts.push(whole ? root : node.parts[i]);
    offsets.push(node.offsets[i]);
    i = whole ? end : i + 1;
  }
  return parts.length === node.parts.length ? undefined : [pack(parts, offsets, size(node.outputs[0].shape))];
};
