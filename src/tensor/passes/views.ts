/** Tensors under other shapes, and parts of them. */
import { rootOf } from "../lives.ts";
import { bytesOf, size, type Node, type Tensor } from "../tensor.ts";
import type { Graph } from "./pass.ts";

/** Whether two are one output of one node. */
export const isSame = (a: Tensor, b: Tensor): boolean => a.node === b.node && a.output === b.output;

/** What a tensor is a view of, through all views, and the element of that where it begins. */
export const located = (t: Tensor): readonly [root: Tensor, offset: number] => {
  const [root, bytes] = rootOf(t);
  return [root, bytes / bytesOf[root.dtype]];
};

/** Whether a node is all of a tensor under another shape. */
const isWholeView = (node: Node): node is Node & { readonly kind: "view" } =>
  node.kind === "view" && node.offset === 0 && size(node.of.shape) === size(node.outputs[0].shape);

/** What a tensor is under other shapes. */
export const source = (t: Tensor): Tensor => (isWholeView(t.node) ? source(t.node.of) : t);

/** The nodes that read a node, under whatever shape. */
export const readersOf = (node: Node, graph: Graph): readonly Node[] =>
  graph.readers(node).flatMap((reader) => (isWholeView(reader) ? readersOf(reader, graph) : [reader]));
