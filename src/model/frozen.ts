/** The parameters of a model as frozen tensors of a program. */
import { floats, leaf, type Tensor } from "../tensor/tensor.ts";
import type { ModelConfig } from "./config.ts";
import { parameters } from "./parameters.ts";

/** A symbolic tensor for every parameter of a configuration, by name; asking twice gives the same one. */
export const frozenParameters = (config: ModelConfig): ((name: string) => Tensor) => {
  const shapes = parameters(config);
  const leaves = new Map<string, Tensor>();
  return (name) => {
    const known = leaves.get(name) ?? leaf("frozen", name, floats(shapes.get(name)!));
    leaves.set(name, known);
    return known;
  };
};
