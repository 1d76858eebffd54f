/**
 * Mixed precision: what the forward pass saves for the backward pass is stored as f16. Who computes it writes f16, where all of the forward pass can read that;
 * else a rounded copy is kept for the backward pass.
 *
 * What losses read stays f32, and so do the factors of adapters, statistics of rows, and all that has less than three axes: logits, gates, gradients of
 * adapters.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import { narrow } from "../ops/narrow.ts";
import { widen } from "../ops/widen.ts";
import type { Program } from "../program.ts";
import { byteSize, inputsOf, type Node, type Spec } from "../tensor.ts";
import { isBackward } from "./backward.ts";
import { canRead, halfAlignment } from "./halves.ts";
import { outputsOf, rewrite, type Pass } from "./pass.ts";
import { located } from "./views.ts";

/** A node that reads a value, by the number of its input; `whole` where f16 can be read in its place at all. */
interface Read {
  readonly node: Node;
  readonly input: number;
  readonly whole: boolean;
}

/** The nodes that read the first output of a node, through views. */
const readsIn = ({ schedule }: Program): ((node: Node) => readonly Read[]) => {
  const reads = new Map<Node, Read[]>();
  for (const node of schedule) {
    if (node.kind === "view") continue;
    inputsOf(node).forEach((t, input) => {
      const [root, offset] = located(t);
      if (root.output !== 0) return;
      const those = reads.get(root.node) ?? [];
      those.push({ node, input, whole: node.kind === "apply" && offset % halfAlignment === 0 });
      reads.set(root.node, those);
    });
  }
  return (node) => reads.get(node) ?? [];
};

/** Whether a reader needs every bit of f32: losses, and the epilogue of a product, in which the factors of an adapter are. */
const isExact = ({ node, input }: Read): boolean => node.kind === "apply" && input >= (node.op.exactFrom ?? Infinity);

/** On GPUs a launch that rounds costs more than it saves where a value is of few bytes, or has rows as short as those of a low-rank adapter. */
const [fewBytes, shortRow] = [2 ** 22, 64];

/** Whether a value is worth rounding. */
const isLarge = (value: Spec, { adapter }: Pick<Bounds, "adapter">): boolean =>
  adapter.kind === "cpu" || (byteSize(value) >= fewBytes && value.shape[value.shape.length - 1] > shortRow);

/** Stores what is saved for the backward pass as f16. */
export const savedInHalves: Pass = (program, bounds) => {
  if (bounds.precision !== "mixed") return program;
  const [backward, reads] = [isBackward(program), readsIn(program)];
  return rewrite(program, (node, traced, graph) => {
    if (node.kind !== "apply" || backward(traced) || graph.isResult(traced)) return undefined;
    const [first, ...others] = node.outputs;
    const all = reads(traced);
    const kept = first.dtype === "f32" && first.shape.length > 2 && isLarge(first, bounds);
    const saved = kept && all.some((read) => backward(read.node)) && all.every((read) => read.whole && !isExact(read));
    if (!saved) return undefined;
    const forward = all.filter((read) => !backward(read.node));
    const { halves } = node.op;
    if (halves?.outputs[0] === true && forward.every((read) => canRead(read.node, read.input, bounds))) {
      const [stored, ...rest] = halves.of(node.inputs, ["f16", ...others.map((other) => other.dtype)]);
      return [widen(stored), ...rest];
    }
    const [computed, ...rest] = outputsOf(node);
    return [widen(narrow(computed)), ...rest];
  });
};
