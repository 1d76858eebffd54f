/** A part of a model that is never merged: it is made from what a learner remembers, wherever the model runs. */
import type { HostTensor, Tensors } from "../formats/hostTensor.ts";
import type { Scope } from "./scope.ts";
import { ShapeError, type Tensor } from "../tensor/tensor.ts";
import type { Learner } from "./learner.ts";
import { memory, type Memory } from "./memory.ts";

/** What a branch may ask for while a program is written down. */
export interface BranchContext {
  /** One of the branch's own tensors. */
  readonly tensor: (name: string) => Tensor;
  /** Notes a tensor [images, k] under a name, for whoever runs the model and wants to know. */
  readonly note: (name: string, value: Tensor) => void;
  /** The named output of the model without the branch, for the same batch: a pass of its own. Throws a `ShapeError` while adapters are trained on it. */
  readonly plain: (output: string) => Tensor;
}

/** A branch: its tensors, and the scope with it in. */
export interface Branch {
  readonly name: string;
  readonly options: unknown;
  readonly tensors: (learner: Learner) => Tensors;
  readonly scope: (learner: Learner, base: Scope, context: BranchContext) => Scope;
}

const noPlainPass: BranchContext["plain"] = (output) => {
  throw new ShapeError("branch", `it asks for ${output} of the model without it, which is there only where nothing is trained on it`);
};

/** The scope of a learner's model through a branch, whose tensors are asked of `constant`. */
export const through = (
  branch: Branch | undefined,
  learner: Learner,
  base: Scope,
  constant: (name: string, value: HostTensor) => Tensor,
  note: BranchContext["note"] = () => undefined,
  plain: BranchContext["plain"] = noPlainPass,
): Scope => {
  if (branch === undefined) return base;
  const tensors = branch.tensors(learner);
  return branch.scope(learner, base, { tensor: (name) => constant(name, tensors.get(name)!), note, plain });
};

/** The names of the memories that branches are made from, as far as the methods that declare them are there. */
const memories = new Set<string>();

/**
 * A place in a learner's memory for what a branch is made from. Its name is noted, so that whoever has the learner alone sees that there is a branch.
 *
 * ```ts
 * const scales = model.branchMemory<readonly number[]>("scales of tasks", []);
 * const kept = scales.keep({ memory: {} } as cambium.Learner, [0.5]);
 * assert.deepEqual([scales.of(kept), hasBranches(kept)], [[0.5], true]);
 * ```
 */
export const branchMemory = <A>(name: string, empty: A): Memory<A> => {
  memories.add(name);
  return memory(name, empty);
};

/** Whether a learner remembers parts of a model that are never merged. */
export const hasBranches = ({ memory: remembered }: Pick<Learner, "memory">): boolean => Object.keys(remembered).some((name) => memories.has(name));
