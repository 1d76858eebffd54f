/** The model before its first task: what a learner remembers of it, for teachers to distil from and for weights to be drawn towards. */
import type { Tensors } from "../formats/hostTensor.ts";
import type { Leaves } from "../tensor/leaves.ts";
import type { Learner } from "./learner.ts";
import { memory } from "./memory.ts";
import type { Network } from "./network.ts";
import { plainScope, type Scope } from "./scope.ts";

/** The weights as they were before the first task, of those that tasks have changed since; the others are the model's own. */
export const originalWeights = memory<Tensors>("original", new Map());

/** The learner `after` a task, which remembers what the task has changed of the weights that the learner `before` it had. */
export const rememberOriginal = (before: Learner, after: Learner): Learner => {
  const known = originalWeights.of(before);
  const changed = [...before.model.weights].filter(([name, tensor]) => !known.has(name) && after.model.weights.get(name) !== tensor);
  return originalWeights.keep(after, new Map([...known, ...changed]));
};

/** The scope of the original model: frozen parameters, and constants in the place of those that have changed since. */
export const originalScope = (net: Network, original: Tensors, { frozen, constant }: Pick<Leaves, "frozen" | "constant">): Scope =>
  plainScope(net, (name) => {
    const value = original.get(name);
    return value === undefined ? frozen(name, net.parameters.get(name)!.shape) : constant(`original ${name}`, value);
  });
