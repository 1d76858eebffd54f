/** Training the model itself. */
import { layout, unflatten, type Layout } from "../../tensor/layout.ts";
import type { Network } from "../network.ts";
import { plainScope } from "../scope.ts";
import type { Adapter } from "./adapter.ts";

/** All parameters of the model, trained in place of the frozen ones: full fine-tuning and pre-training. Group: `weights`. */
export const allParameters = (): Adapter<"weights"> => {
  const layoutOf = ({ parameters }: Network): Layout => layout([...parameters].map(([name, { shape }]) => [name, shape]));
  return {
    name: "allParameters",
    options: {},
    layouts: (net) => ({ weights: layoutOf(net) }),
    trained: ["weights"],
    initial: (net, weights) => {
      const l = layoutOf(net);
      const flat = new Float32Array(l.length);
      l.entries.forEach(({ name, offset }) => flat.set(weights.get(name)!.data, offset));
      return { weights: flat };
    },
    scope: (net, _, { weights }) => plainScope(net, (name) => weights.get(name)!),
    update: (net, values) => ({ factors: new Map(), weights: unflatten(layoutOf(net), values.weights) }),
    ranks: () => new Map(),
  };
};
