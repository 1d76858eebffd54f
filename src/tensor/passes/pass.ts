/**
 * Passes: rewrites of a traced program for a device, before it is planned. A program knows no device; what pays on one adapter and not on another, and what
 * looks at neighbours, is a pass.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import { topological } from "../gradient.ts";
import { scheduled, type Program, type Tensors } from "../program.ts";
import { inputsOf, type Node, type Tensor } from "../tensor.ts";

/** Gives a program with the same leaves, and with results of the same names and shapes. */
export type Pass = (program: Program, bounds: Bounds) => Program;

/** What a rule may ask of the program that it rewrites. */
export interface Graph {
  /** The nodes that read a node, as they were traced; one that reads it twice is there twice. */
  readonly readers: (node: Node) => readonly Node[];
  /** Whether an output of the node is a result of the program, or a result is a view of it. */
  readonly isResult: (node: Node) => boolean;
  /** Whether the node is computed again for the backward pass. */
  readonly isRecomputed: (node: Node) => boolean;
}

/** What a rule may ask while it rewrites. */
export interface Rewriting extends Graph {
  /** What has taken the place of a tensor so far, as it was traced. */
  readonly moved: (t: Tensor) => Tensor;
  /** Says what takes the place of a node that came before, which nothing has read yet. */
  readonly replace: (traced: Node, instead: readonly Tensor[]) => void;
}

/**
 * What takes the place of a node: a tensor for each of its outputs; undefined where the node stays. `node` has inputs that are rewritten already, `traced` is
 * the node as it was traced, which {@link Graph} knows.
 */
export type Rule = (node: Node, traced: Node, graph: Rewriting) => readonly Tensor[] | undefined;

/** The outputs of a node. */
export const outputsOf = (node: Node): readonly Tensor[] => node.outputs.map((spec, output) => ({ ...spec, node, output }));

/** A node and, where it is a view, what it is a view of. */
const viewed = (node: Node): readonly Node[] => (node.kind === "view" ? [node, ...viewed(node.of.node)] : [node]);

/** What a rule may ask of a program. */
export const graphOf = ({ schedule: order, outputs, state, recomputed }: Program): Graph => {
  const readers = new Map<Node, Node[]>();
  for (const node of order) {
    for (const { node: source } of inputsOf(node)) {
      const those = readers.get(source) ?? [];
      those.push(node);
      readers.set(source, those);
    }
  }
  const results = new Set([...Object.values(outputs), ...Object.values(state)].flatMap(({ node }) => viewed(node)));
  return { readers: (node) => readers.get(node) ?? [], isResult: (node) => results.has(node), isRecomputed: (node) => recomputed?.has(node) === true };
};

/** A node with other inputs; itself where they are the same. */
export const withInputs = (node: Node, moved: (t: Tensor) => Tensor): Node => {
  const before = inputsOf(node);
  const after = before.map(moved);
  if (after.every((t, i) => t === before[i])) return node;
  if (node.kind === "view") return { ...node, of: after[0] };
  if (node.kind === "pack") return { ...node, parts: after };
  return { ...node, inputs: after } as Node;
};

/**
 * Applies a rule to every node of a program, in its order. What does not change is shared. What takes the place of a node runs where that node ran, so that an
 * order that one pass has chosen stays through all that follow; and what takes the place of a node that is computed again is computed again.
 */
export const rewrite = (program: Program, rule: Rule): Program => {
  const rewritten = new Map<Node, readonly Tensor[]>();
  const moved = (t: Tensor): Tensor => rewritten.get(t.node)?.[t.output] ?? t;
  const graph = { ...graphOf(program), moved, replace: (traced: Node, instead: readonly Tensor[]) => void rewritten.set(traced, instead) };
  const seen = new Set<Node>();
  const recomputed = new Set<Node>();
  const order = program.schedule.flatMap((traced) => {
    const node = withInputs(traced, moved);
    const instead = rule(node, traced, graph) ?? outputsOf(node);
    if (instead.some((t) => t.node !== traced)) rewritten.set(traced, instead);
    const fresh = topological(instead, seen);
    if (graph.isRecomputed(traced)) fresh.forEach((made) => recomputed.add(made));
    return fresh;
  });
  if (rewritten.size === 0) return program;
  const all = (tensors: Tensors): Tensors => Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, moved(t)]));
  const results = { outputs: all(program.outputs), state: all(program.state) };
  return { ...program, ...results, recomputed, schedule: scheduled(results, order) };
};
