/**
 * Rewrites a graph so that an activation that alone reads a matrix product becomes the product's epilogue: one kernel less, and the
 * product before the activation is never written. While training, the activation's gradient reads it too, and nothing is rewritten.
 */
import { withActivation } from "./ops/matmul.ts";
import { inputsOf, type Node, type Tensor } from "./tensor.ts";

const activations: Readonly<Record<string, "quickGelu" | "gelu">> = { QUICK_GELU: "quickGelu", GELU: "gelu" };

/** Rewrites tensors, given the nodes that they depend on in topological order. What does not change is shared. */
export const fuse = (order: readonly Node[], roots: readonly Tensor[]): ((t: Tensor) => Tensor) => {
  const readers = new Map<Node, number>();
  const read = ({ node }: Tensor): void => void readers.set(node, (readers.get(node) ?? 0) + 1);
  order.forEach((node) => inputsOf(node).forEach(read));
  roots.forEach(read);

  const rewritten = new Map<Node, Node>();
  const moved = (t: Tensor): Tensor => {
    const node = rewritten.get(t.node) ?? t.node;
    return node === t.node ? t : { ...t, node };
  };
  for (const node of order) {
    if (node.kind === "apply") {
      const activation = activations[String(node.op.attributes?.fn)];
      const source = activation === undefined ? undefined : moved(node.inputs[0]).node;
      const fused = source !== undefined && readers.get(node.inputs[0].node) === 1 ? withActivation(source, activation) : undefined;
      if (fused !== undefined) {
        rewritten.set(node, fused);
        continue;
      }
    }
    const before = inputsOf(node);
    const after = before.map(moved);
    if (after.every((t, i) => t === before[i])) continue;
    if (node.kind === "apply") rewritten.set(node, { ...node, inputs: after });
    else if (node.kind === "view") rewritten.set(node, { ...node, of: after[0] });
    else if (node.kind === "pack") rewritten.set(node, { ...node, parts: after });
  }
  return moved;
};
