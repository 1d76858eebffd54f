/**
 * A program: a step, traced once.
 *
 * ```ts
 * interface Program { readonly leaves; readonly schedule; readonly outputs; readonly state }
 * ```
 *
 * `trace` runs a pure function on symbolic tensors and writes down what it did: every operation once, in an order in which updates in
 * place come after everything that reads the old value. A program knows no device; `executable.ts` binds it to one.
 */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { MatmulShape } from "../kernels/matmul.ts";
import type { ProductBounds } from "../kernels/product.ts";
import { topological } from "./gradient.ts";
import { inputsOf, leaf, sameShape, ShapeError, show, type Node, type Role, type Spec, type Tensor } from "./tensor.ts";

/** The tensors that a step gets from outside, by role and name. A step may also use leaves of its own; they are found. */
export interface Signature {
  readonly frozen?: Readonly<Record<string, Spec>>;
  readonly state?: Readonly<Record<string, Spec>>;
  readonly inputs?: Readonly<Record<string, Spec>>;
}

/** Tensors by name. */
export type Tensors = Readonly<Record<string, Tensor>>;

/** What a step sees: symbolic tensors for its signature. */
export interface Arguments {
  readonly frozen: Tensors;
  readonly state: Tensors;
  readonly inputs: Tensors;
}

/** What a step gives: new values for (some of) its state, and outputs that may be read. */
export interface Results {
  readonly state?: Tensors;
  readonly outputs?: Tensors;
}

/** What of the forward pass is computed again for the backward pass: `blocks`, all but what is marked by `kept`. */
export type Recompute = "blocks";

/** A traced step: its leaves, its nodes in the order they run in, what it gives, and what it should not keep. */
export interface Program {
  readonly leaves: readonly (Node & { readonly kind: "leaf" })[];
  readonly schedule: readonly Node[];
  readonly outputs: Tensors;
  readonly state: Tensors;
  readonly recompute?: Recompute;
  /** The nodes of the forward pass that a pass has cloned, to be computed again for the backward pass. */
  readonly recomputed?: ReadonlySet<Node>;
}

/** The matrix products of a program within the bounds of a device, in the order in which they run. */
export const matmulShapes = ({ schedule }: Program, bounds: ProductBounds): readonly MatmulShape[] =>
  schedule.flatMap((node) => (node.kind === "apply" ? (node.op.products?.(bounds) ?? []) : []));

/** Runs `step` on symbolic tensors. Shapes that do not fit give a `ShapeMismatch`; anything else that throws is a defect and is thrown on. */
export const trace = (signature: Signature, step: (args: Arguments) => E.Either<Failure, Results>): E.Either<Failure, Program> => {
  const leavesOf = (role: Role, specs: Readonly<Record<string, Spec>> = {}): Tensors =>
    Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, leaf(role, name, spec)]));
  try {
    const args: Arguments = {
      frozen: leavesOf("frozen", signature.frozen),
      state: leavesOf("state", signature.state),
      inputs: leavesOf("input", signature.inputs),
    };
    const results = step(args);
    if (E.isLeft(results)) return results;
    const written = [...Object.values(results.right.outputs ?? {}), ...Object.values(results.right.state ?? {})];
    const half = written.find(({ dtype }) => dtype === "f16");
    if (half !== undefined) throw new ShapeError("trace", `the step returns ${show(half)}, which must be widened first`);
    const { state = {}, outputs = {} } = results.right;
    // Nodes run in the order in which they were made: a step that is written well needs little memory, and a gradient is there as soon as it can be.
    const order = scheduled(
      { outputs, state },
      [...topological(written)].sort((a, b) => a.made - b.made),
    );
    const named = [args.frozen, args.state, args.inputs].flatMap((group) => Object.values(group).map((t) => t.node));
    const leaves = [...new Set([...named, ...order])].filter((node) => node.kind === "leaf");
    const keys = new Set(leaves.map(({ role, name }) => `${role}:${name}`));
    if (keys.size < leaves.length) {
      const twice = leaves.map(({ role, name }) => `${role} ${name}`).find((key, i, all) => all.indexOf(key) < i);
      throw new ShapeError("trace", `two tensors share a name: ${twice}`);
    }
    for (const [name, t] of Object.entries(state)) {
      const old = leaves.find((l) => l.role === "state" && l.name === name);
      if (old === undefined) throw new ShapeError("trace", `the step returns a state ${name} that it never had`);
      if (!sameShape(old.outputs[0].shape, t.shape)) throw new ShapeError("trace", `state ${name} was ${show(old.outputs[0])} and becomes ${show(t)}`);
    }
    return E.right({ leaves, schedule: order, outputs, state });
  } catch (error) {
    if (error instanceof ShapeError) return E.left({ _tag: "ShapeMismatch", op: error.op, detail: error.detail });
    throw error;
  }
};

/** The nodes of `order` that results depend on, in an order in which they may run: updates in place last. */
export const scheduled = ({ outputs, state }: Pick<Program, "outputs" | "state">, order: readonly Node[]): readonly Node[] => {
  const needed = new Set(topological([...Object.values(outputs), ...Object.values(state)]));
  return updatesLast(order.filter((node) => needed.has(node)));
};

/** Reorders so that updates in place, and what depends on them, come last: everything else has read the old values by then. */
const updatesLast = (order: readonly Node[]): readonly Node[] => {
  const late = new Set<Node>();
  for (const node of order) if ((node.kind === "apply" && node.op.inPlace !== undefined) || inputsOf(node).some((t) => late.has(t.node))) late.add(node);
  return [...order.filter((n) => !late.has(n)), ...order.filter((n) => late.has(n))];
};
