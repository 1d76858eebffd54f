/**
 * Recomputation: what the backward pass reads of the forward pass is computed again for it, where that is asked for or costs little, instead of being kept
 * (Chen et al., 2016). A clone runs right before its first reader, with the same kernels on the same values: no bit changes in f32.
 *
 * Cheap values are computed again on GPUs, where memory is short and a pass over it is fast: the output of an activation, whose input is kept for the
 * activation's gradient anyway, or that of a norm. With `recompute: "blocks"` so is all that lies before a mark (`kept`), from the mark before.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import { rootOf, readsOf } from "../lives.ts";
import { topological } from "../gradient.ts";
import type { Program } from "../program.ts";
import { byteSize, inputsOf, type Node, type Tensor } from "../tensor.ts";
import { isBackward } from "./backward.ts";
import { graphOf, outputsOf, rewrite, withInputs, type Pass, type Rule } from "./pass.ts";

/** Values of fewer bytes are kept: to launch a kernel would take longer than to read them. */
const worthwhile = 2 ** 22;

/** Kernels in a row that one cheap value may take. */
const mostPasses = 3;

const isMark = (node: Node): boolean => node.kind === "view" && node.kept === true;

/** What a program is asked about its forward pass. */
interface Forward {
  readonly program: Program;
  readonly backward: (node: Node) => boolean;
  /** Nodes whose outputs the backward pass reads. */
  readonly read: ReadonlySet<Node>;
  /** Nodes whose outputs must stay, whoever reads them. */
  readonly isResult: (node: Node) => boolean;
}

const forwardOf = (program: Program): Forward => {
  const backward = isBackward(program);
  const roots = (tensors: readonly Tensor[]): readonly Node[] => tensors.map((t) => rootOf(t)[0].node);
  return {
    program,
    backward,
    read: new Set(program.schedule.flatMap((node) => (backward(node) ? roots(readsOf(node)) : []))),
    isResult: graphOf(program).isResult,
  };
};

/** The nodes before a mark, through any others. */
const insideBlocks = ({ program, backward, isResult }: Forward): ReadonlySet<Node> => {
  const marks = program.schedule.filter(isMark).flatMap(outputsOf);
  return new Set(topological(marks).filter((node) => node.kind === "apply" && node.op.inPlace === undefined && !backward(node) && !isResult(node)));
};

/** The nodes that few passes over memory compute from what is kept, and those that such a value is computed from in between. */
const cheapOnes = ({ program, backward, read, isResult }: Forward): ReadonlySet<Node> => {
  // How many kernels lead from what is kept to a node: none where it is kept itself, Infinity where none of them are cheap.
  const passes = new Map<Node, number>();
  const chosen = new Set<Node>();
  for (const node of program.schedule) {
    if (backward(node)) continue;
    const before = inputsOf(node).reduce((n, t) => n + (passes.get(t.node) ?? Infinity), 0);
    const cheap = node.kind === "apply" && node.op.cheap === true && !isResult(node) && before < mostPasses;
    const small = node.outputs.reduce((n, spec) => n + byteSize(spec), 0) < worthwhile;
    if (node.kind === "view") passes.set(node, before);
    else if (cheap && !(small && read.has(node))) {
      passes.set(node, before + 1);
      chosen.add(node);
    } else passes.set(node, node.kind === "leaf" || read.has(node) || isResult(node) ? 0 : Infinity);
  }
  return chosen;
};

/** Has the backward pass read clones of the chosen nodes. */
const cloned = ({ program, backward }: Forward, chosen: ReadonlySet<Node>): Program => {
  const clones = new Map<Node, Node>();
  const cloneOf = (node: Node): Node => {
    const moved = withInputs(node, again);
    if (moved.kind !== "apply" || !chosen.has(node)) return moved;
    return { ...moved };
  };
  const again = (t: Tensor): Tensor => {
    if (isMark(t.node) || !(t.node.kind === "view" || chosen.has(t.node))) return t;
    const clone = clones.get(t.node) ?? cloneOf(t.node);
    clones.set(t.node, clone);
    return { ...t, node: clone };
  };
  const rule: Rule = (node, traced) => (backward(traced) ? outputsOf(withInputs(node, again)) : undefined);
  const rewritten = rewrite(program, rule);
  return clones.size === 0 ? rewritten : { ...rewritten, recomputed: new Set([...clones].flatMap(([node, clone]) => (chosen.has(node) ? [clone] : []))) };
};

const withoutMark: Rule = (node) => (node.kind === "view" && node.kept ? [node.of] : undefined);

/** Keeps less of the forward pass for the backward pass. Marks are gone afterwards. */
export const recompute: Pass = (program: Program, { adapter }: Bounds) => {
  const [blocks, cheap] = [program.recompute === "blocks", adapter.kind === "gpu"];
  if (!blocks && !cheap) return rewrite(program, withoutMark);
  const forward = forwardOf(program);
  const chosen = new Set([...(blocks ? insideBlocks(forward) : []), ...(cheap ? cheapOnes(forward) : [])]);
  return rewrite(cloned(forward, chosen), withoutMark);
};
