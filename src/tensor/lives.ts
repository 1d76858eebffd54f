/** What a plan knows of values before it places them: whose memory they lie in, how long they live, which pack they are a part of. */
import type { Program } from "./program.ts";
import { byteSize, bytesOf, type Node, type Tensor } from "./tensor.ts";

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

/** The position in the schedule of the last node that reads a value; -1 where none does, Infinity where the value outlives the run. */
export const lastUses = (program: Program): ((t: Tensor) => number) => {
  const last = new Map<Node, number[]>();
  const use = (t: Tensor, at: number): void => {
    const [root] = rootOf(t);
    const uses = last.get(root.node) ?? root.node.outputs.map(() => -1);
    uses[root.output] = Math.max(uses[root.output], at);
    last.set(root.node, uses);
  };
  program.schedule.forEach((node, at) => readsOf(node).forEach((t) => use(t, at)));
  for (const t of [...Object.values(program.outputs), ...Object.values(program.state)]) use(t, Infinity);
  return ({ node, output }) => last.get(node)?.[output] ?? -1;
};

/** The places that packs claim for their parts: those that are computed on their own, and each for one pack only. */
export const claims = (program: Program, placeOf: (t: Tensor) => Place): ((t: { readonly node: Node; readonly output: number }) => Place | undefined) => {
  const places = new Map<Node, Map<number, Place>>();
  for (const node of program.schedule) {
    if (node.kind !== "pack") continue;
    const { buffer } = placeOf({ ...node.outputs[0], node, output: 0 });
    node.parts.forEach((part, i) => {
      const [root, offset] = rootOf(part);
      const claimed = places.get(root.node) ?? new Map<number, Place>();
      const whole = offset === 0 && byteSize(root) === byteSize(part);
      if (root.node.kind !== "apply" || root.node.op.inPlace !== undefined || !whole || claimed.has(root.output)) return;
      places.set(root.node, claimed.set(root.output, { buffer, offset: bytesOf[part.dtype] * node.offsets[i] }));
    });
  }
  return ({ node, output }) => places.get(node)?.get(output);
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
