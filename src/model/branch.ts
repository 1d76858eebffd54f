/** A part of a model that is never merged: it is made from what a learner remembers, wherever the model runs. */
import type { HostTensor, Tensors } from "../formats/hostTensor.ts";
import type { Scope } from "./scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Learner } from "./learner.ts";

/** What a branch may ask for while a program is written down. */
export interface BranchContext {
  /** One of the branch's own tensors. */
  readonly tensor: (name: string) => Tensor;
  /** Notes a tensor [images, k] under a name, for whoever runs the model and wants to know. */
  readonly note: (name: string, value: Tensor) => void;
}

/** A branch: its tensors, and the scope with it in. */
export interface Branch {
  readonly name: string;
  readonly options: unknown;
  readonly tensors: (learner: Learner) => Tensors;
  readonly scope: (learner: Learner, base: Scope, context: BranchContext) => Scope;
}

/** The scope of a learner's model through a branch, whose tensors are asked of `constant`. */
export const through = (
  branch: Branch | undefined,
  learner: Learner,
  base: Scope,
  constant: (name: string, value: HostTensor) => Tensor,
  note: BranchContext["note"] = () => undefined,
): Scope => {
  if (branch === undefined) return base;
  const tensors = branch.tensors(learner);
  return branch.scope(learner, base, { tensor: (name) => constant(name, tensors.get(name)!), note });
};
