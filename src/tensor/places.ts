/** Where the values of a plan lie, while it is made. */
import { rootOf, type Place } from "./lives.ts";
import type { Node, Tensor } from "./tensor.ts";

/** Places of values by node and output. A value whose place is taken over by an update is no longer there. */
export interface Places {
  readonly of: (t: Tensor) => Place;
  /** The place of a value that may be gone. */
  readonly find: (root: Tensor) => Place | undefined;
  readonly put: (node: Node, output: number, place: Place | undefined) => void;
}

/** Places, none of them taken. */
export const makePlaces = (): Places => {
  const places = new Map<Node, (Place | undefined)[]>();
  const find = ({ node, output }: Tensor): Place | undefined => places.get(node)?.[output];
  return {
    find,
    of: (t) => {
      const [root, offset] = rootOf(t);
      const place = find(root);
      if (place === undefined) throw new Error(`no place for ${root.node.kind} (an old value is read after its update)`);
      return { buffer: place.buffer, offset: place.offset + offset };
    },
    put: (node, output, place) => {
      const slots = places.get(node) ?? node.outputs.map(() => undefined);
      slots[output] = place;
      places.set(node, slots);
    },
  };
};
