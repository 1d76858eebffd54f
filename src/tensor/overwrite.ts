/** Which values lie where what they are computed from lay: updates in place, and what is computed element by element. */
import { hasGaps, rootOf, type claims, type keptOutputs, type lastUses, type Place } from "./lives.ts";
import type { Program } from "./program.ts";
import { byteSize, type Applied, type Node, type Over } from "./tensor.ts";

/** A program, and what is known of its values before they have places. */
export interface Lives {
  readonly program: Program;
  readonly lastUse: ReturnType<typeof lastUses>;
  readonly claimed: ReturnType<typeof claims>;
  readonly kept: ReturnType<typeof keptOutputs>;
}

/**
 * Whether an update may take over the memory of one of its inputs: nobody reads the old value, or another value in its buffer, later, and
 * the old value is not one that outlives the run.
 */
export const mayTake = ({ lastUse, claimed, program }: Lives, ins: readonly Place[], node: Applied, updated: number, output: number, at: number): boolean => {
  const [root, offset] = rootOf(node.inputs[updated]);
  return (
    offset === 0 &&
    byteSize(root) === byteSize(node.outputs[output]) &&
    lastUse(root) <= at &&
    ins.every((place, i) => i === updated || place.buffer !== ins[updated].buffer) &&
    claimed(root) === undefined &&
    (root.node.kind !== "leaf" || (root.node.role === "state" && root.node.name in program.state))
  );
};

/** Whether a node's value may be overwritten when it was read for the last time. What an update in place left may lie in a pack, whose gaps must stay zero. */
const isPassing = (node: Node): boolean => (node.kind === "apply" ? node.op.inPlace === undefined : node.kind === "pack" && !hasGaps(node));

/**
 * For each output the input whose memory it takes over, where an operation is computed element by element: what was computed and is read for the last time, or
 * a state that gets its new value.
 */
export const overwritten = (lives: Lives, node: Applied, ins: readonly Place[], at: number): Over => {
  const { program, claimed, kept } = lives;
  // States first: what does not take the place of the old one is copied there.
  const isLeaf = (input: number): number => Number(rootOf(node.inputs[input])[0].node.kind === "leaf");
  const free = new Set([...(node.op.sameElements ?? [])].sort((a, b) => isLeaf(b) - isLeaf(a)));
  const isNewState = (name: string, output: number): boolean => {
    const root = name in program.state ? rootOf(program.state[name])[0] : undefined;
    return root?.node === node && root.output === output;
  };
  return node.outputs.map((spec, output) => {
    if (kept(node, output) || claimed({ node, output }) !== undefined) return undefined;
    const found = [...free].find((input) => {
      const { node: old, dtype } = rootOf(node.inputs[input])[0];
      const given = isPassing(old) || (old.kind === "leaf" && old.role === "state" && isNewState(old.name, output));
      return given && dtype === spec.dtype && mayTake(lives, ins, node, input, output, at);
    });
    if (found !== undefined) free.delete(found);
    return found;
  });
};
