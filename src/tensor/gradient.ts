/**
 * Reverse-mode differentiation of a graph: from a loss to the gradients of chosen tensors, as more graph.
 */
import { accumulate } from "./ops/matmul.ts";
import { add as plus, constant } from "./ops/elementwise.ts";
import { check, inputsOf, reshape, show, size, type Node, type Shape, type Tensor } from "./tensor.ts";

/** The nodes that tensors depend on, in an order in which every node comes after its inputs; those `seen` before are left out, and the others added to them. */
export const topological = (roots: readonly Tensor[], seen: Set<Node> = new Set()): readonly Node[] => {
  const order: Node[] = [];
  // An explicit stack: a deep model would overflow the call stack.
  const stack: { readonly node: Node; next: number }[] = [];
  for (const root of roots) {
    if (seen.has(root.node)) continue;
    seen.add(root.node);
    // Who walks a program in its order finds nothing new before most nodes.
    if (inputsOf(root.node).every(({ node }) => seen.has(node))) order.push(root.node);
    else stack.push({ node: root.node, next: 0 });
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      const inputs = inputsOf(top.node);
      if (top.next === inputs.length) {
        order.push(top.node);
        stack.pop();
      } else {
        const { node } = inputs[top.next++];
        if (!seen.has(node)) {
          seen.add(node);
          stack.push({ node, next: 0 });
        }
      }
    }
  }
  return order;
};

/** The gradient of a loss with respect to itself. It is marked: what depends on it is the backward pass. */
const seed = (shape: Shape): Tensor => {
  const one = constant(1, shape);
  const node = one.node as Node & { readonly kind: "apply" };
  return { ...one, node: { ...node, op: { ...node.op, attributes: { ...node.op.attributes, seed: true } } } };
};

/** Whether a node is the {@link seed} of a backward pass. */
export const isSeed = (node: Node): boolean => node.kind === "apply" && node.op.attributes?.seed === true;

/** The inputs that a node passes gradients on to. */
const sourcesOf = (node: Node): readonly Tensor[] => (node.kind === "view" && node.detached ? [] : inputsOf(node));

/**
 * Gradients of a one-element `loss` with respect to `wrt`, in their order and shapes; undefined (torch's `None`) where the loss does not
 * depend on a tensor through differentiable operations.
 * Fails (while tracing) when the loss has more than one element or an operation on the way has no gradient.
 */
export const partials = (loss: Tensor, wrt: readonly Tensor[]): readonly (Tensor | undefined)[] => {
  check(size(loss.shape) === 1, "gradient", () => `the loss is ${show(loss)}, not one number`);
  const order = topological([loss]);
  const wanted = new Set(wrt.map((t) => t.node));
  const onPath = new Set<Node>();
  for (const node of order) if (wanted.has(node) || sourcesOf(node).some((t) => onPath.has(t.node))) onPath.add(node);

  const grads = new Map<Node, (Tensor | undefined)[]>();
  const add = (t: Tensor, g: Tensor): void => {
    const slots = grads.get(t.node) ?? t.node.outputs.map(() => undefined);
    const old = slots[t.output];
    slots[t.output] = old === undefined ? g : accumulate(old, g);
    grads.set(t.node, slots);
  };
  add(loss, seed(loss.shape));

  for (const node of [...order].reverse()) {
    const slots = grads.get(node);
    if (slots === undefined || !sourcesOf(node).some((t) => onPath.has(t.node))) continue;
    check(node.kind !== "pack", "gradient", () => "a pack has no gradient; differentiate with respect to its parts");
    if (node.kind === "view") {
      const g = slots[0];
      const whole = node.offset === 0 && size(node.of.shape) === size(node.outputs[0].shape);
      check(whole, "gradient", () => "a partial view has no gradient; name the view itself in `wrt`");
      if (g !== undefined) add(node.of, reshape(g, node.of.shape));
    } else if (node.kind === "apply") {
      const vjp = node.op.vjp;
      check(vjp !== undefined, "gradient", () => `${node.op.name} has no gradient`);
      const needed = node.inputs.map((t) => onPath.has(t.node));
      const outputs = node.outputs.map((spec, output) => ({ ...spec, node, output }));
      vjp!(outputs, slots, needed).forEach((g, i) => {
        if (g !== undefined && needed[i]) add(node.inputs[i], g);
      });
    }
  }
  return wrt.map((t) => grads.get(t.node)?.[t.output]);
};

/** Gradients of the sum of two losses, from those of each. */
export const sumOfPartials = (a: readonly (Tensor | undefined)[], b: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] =>
  a.map((x, i) => {
    const y = b[i];
    return x === undefined || y === undefined ? (x ?? y) : plus(x, y);
  });

/** Like {@link partials}, with zeros where the loss does not depend on a tensor. */
export const gradient = (loss: Tensor, wrt: readonly Tensor[]): readonly Tensor[] => partials(loss, wrt).map((g, i) => g ?? constant(0, wrt[i].shape));
