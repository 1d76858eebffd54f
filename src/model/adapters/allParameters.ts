/** Training the model itself. */
import { layout, unflatten, type Layout } from "../../tensor/layout.ts";
import type { ModelConfig } from "../config.ts";
import { parameters } from "../parameters.ts";
import { plainScope } from "../transformer.ts";
import type { Adapter } from "./adapter.ts";

/** All parameters of the model, trained in place of the frozen ones: full fine-tuning and pre-training. Group: `weights`. */
export const allParameters = (): Adapter<"weights"> => {
  const layoutOf = (config: ModelConfig): Layout => layout(parameters(config));
  return {
    name: "allParameters",
    options: {},
    layouts: (config) => ({ weights: layoutOf(config) }),
    trained: ["weights"],
    initial: (config, weights) => {
      const l = layoutOf(config);
      const flat = new Float32Array(l.length);
      l.entries.forEach(({ name, offset }) => flat.set(weights.get(name)!.data, offset));
      return { weights: flat };
    },
    scope: (_, __, { weights }) => plainScope((name) => weights.get(name)!),
    merge: (config, weights, values) => new Map([...weights, ...unflatten(layoutOf(config), values.weights)]),
    ranks: () => new Map(),
  };
};
