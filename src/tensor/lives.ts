/** What a plan knows of values before it places them: whose memory they lie in, how long they live, which pack they are a part of. */
import type { Program } from "./program.ts";
import { byteSize, bytesOf, size, type Node, type Span, type Tensor } from "./tensor.ts";

/** Where a value lies: a buffer by number, and an offset in bytes. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

/** The tensor whose memory a tensor lies in, through views, and the offset there in bytes. */
export const rootOf = (t: Tensor): readonly [root: Tensor, offset: number] => {
  let [root, offset] = [t, 0];
  while (root.node.kind === "view") [root, offset] = [root.node.of, offset + bytesOf[root.dtype] * root.node.offset];
  return [root, offset];
};

/** The tensors that a node reads when it runs. A view runs nothing. */
export const readsOf = (node: Node): readonly Tensor[] => (node.kind === "apply" ? node.inputs : node.kind === "pack" ? node.parts : []);

/** A node that lays tensors into one. */
export type Pack = Node & { readonly kind: "pack" };

/** The place in a pack that one of its parts is computed in, in bytes. */
export interface Claim {
  readonly pack: Pack;
  readonly offset: number;
}

/** An output of a node. */
type Output = Pick<Tensor, "node" | "output">;

/** The elements of a tensor that have values: all of them, but where an operation writes some alone. */
export const writtenIn = (t: Tensor): readonly Span[] => {
  const [{ node, dtype }, offset] = rootOf(t);
  const all = [{ first: 0, length: size(t.shape) }];
  if (node.kind !== "apply" || node.op.writes === undefined) return all;
  const start = offset / bytesOf[dtype];
  return node.op.writes.flatMap(({ first, length }) => {
    const [from, to] = [Math.max(first - start, 0), Math.min(first + length - start, all[0].length)];
    return from < to ? [{ first: from, length: to - from }] : [];
  });
};

/** Whether a pack has elements that none of its parts writes. */
export const hasGaps = ({ parts, offsets, outputs }: Pack): boolean => {
  const extents = parts.flatMap((part, i) => writtenIn(part).map(({ first, length }) => [offsets[i] + first, length] as const)).sort(([a], [b]) => a - b);
  const covered = extents.reduce((end, [from, length]) => (from > end ? end : Math.max(end, from + length)), 0);
  return covered < size(outputs[0].shape);
};

/** Whether a value may be computed in a pack: what is computed on its own, and packs that are all of what they have. */
const isPlaceable = (node: Node): boolean => (node.kind === "apply" ? node.op.inPlace === undefined : node.kind === "pack" && !hasGaps(node));

/** The places that packs claim for their parts, each for one pack only. */
export const claims = (program: Program): ((t: Output) => Claim | undefined) => {
  const found = new Map<Node, Map<number, Claim>>();
  for (const node of program.schedule) {
    if (node.kind !== "pack") continue;
    node.parts.forEach((part, i) => {
      const [root, offset] = rootOf(part);
      const claimed = found.get(root.node) ?? new Map<number, Claim>();
      const whole = offset === 0 && byteSize(root) === byteSize(part);
      if (!isPlaceable(root.node) || !whole || claimed.has(root.output)) return;
      found.set(root.node, claimed.set(root.output, { pack: node, offset: bytesOf[part.dtype] * node.offsets[i] }));
    });
  }
  return ({ node, output }) => found.get(node)?.get(output);
};

/** The pack that a value is computed in, the pack that this one is computed in, and so on. */
export const packsOf = (t: Output, claimed: (t: Output) => Claim | undefined): readonly Pack[] => {
  const claim = claimed(t);
  return claim === undefined ? [] : [claim.pack, ...packsOf({ node: claim.pack, output: 0 }, claimed)];
};

/**
 * The position in the schedule of the last node that reads a value; -1 where none does, Infinity where the value outlives the run. Who reads a part that lies
 * in a pack reads the pack.
 */
export const lastUses = (program: Program, claimed: (t: Output) => Claim | undefined): ((t: Output) => number) => {
  const last = new Map<Node, number[]>();
  const read = (node: Node, output: number, at: number): void => {
    const uses = last.get(node) ?? node.outputs.map(() => -1);
    uses[output] = Math.max(uses[output], at);
    last.set(node, uses);
  };
  const use = (t: Tensor, at: number): void => {
    const [root] = rootOf(t);
    read(root.node, root.output, at);
    for (const pack of packsOf(root, claimed)) read(pack, 0, at);
  };
  program.schedule.forEach((node, at) => readsOf(node).forEach((t) => use(t, at)));
  for (const t of [...Object.values(program.outputs), ...Object.values(program.state)]) use(t, Infinity);
  return ({ node, output }) => last.get(node)?.[output] ?? -1;
};

/** The outputs of nodes that are outputs of the program: they must still be there after a run. */
export const keptOutputs = (program: Program): ((node: Node, output: number) => boolean) => {
  const kept = new Map<Node, Set<number>>();
  for (const t of Object.values(program.outputs)) {
    const [root] = rootOf(t);
    kept.set(root.node, (kept.get(root.node) ?? new Set()).add(root.output));
  }
  return (node, output) => kept.get(node)?.has(output) === true;
};
