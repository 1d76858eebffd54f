/** Packs whose parts are computed together. */
import { writtenIn, type Pack } from "../lives.ts";
import { aligned, pack, size, type Tensor } from "../tensor.ts";
import { isSame, located } from "./views.ts";

/** A pack with a tensor as one part where several parts are all that is computed of it, and lie in the pack as they do there; undefined where none are. */
export const mergedPack = (node: Pack): readonly Tensor[] | undefined => {
  const places = node.parts.map((part, i) => {
    const [root, offset] = located(part);
    return { root, base: node.offsets[i] - offset, length: aligned(size(part.shape)) };
  });
  const [parts, offsets]: [Tensor[], number[]] = [[], []];
  const taken = new Set<number>();
  places.forEach(({ root, base }, i) => {
    if (taken.has(i)) return;
    const alike = [...places.keys()].filter((j) => isSame(places[j].root, root) && places[j].base === base);
    const written = writtenIn(root).reduce((n, { length }) => n + aligned(length), 0);
    const whole = alike.length > 1 && root.node.kind === "apply" && alike.reduce((n, j) => n + places[j].length, 0) === written;
    if (whole) alike.forEach((j) => taken.add(j));
    parts.push(whole ? root : node.parts[i]);
    offsets.push(whole ? base : node.offsets[i]);
  });
  return taken.size === 0 ? undefined : [pack(parts, offsets, size(node.outputs[0].shape))];
};
