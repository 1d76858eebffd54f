/**
 * The sums of many thin matrices over their rows, which end in one pack, are one launch or two instead of as many each: the gradients of gates. The matrices
 * are computed where they lie one behind the other, and stay until the pack is made; so they are to be small.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import { sumEach, summingOf, type Summing } from "../ops/reduce.ts";
import { aligned, pack, size, type Node, type Tensor } from "../tensor.ts";
import { rewrite, type Graph, type Pass } from "./pass.ts";
import { readersOf, source } from "./views.ts";

/** Columns of a thin matrix, at most. */
const widest = 64;
/** Elements of all matrices that are summed at once, at most. */
const most = 2 ** 25;

/** A run of parts of a pack: sums of matrices of one shape, at one distance from another. */
interface Run {
  readonly first: number;
  readonly matrices: readonly Tensor[];
  readonly summing: Summing;
}

/** The matrix whose sums a part of a pack is, where nothing else reads either. */
const matrixOf = (part: Tensor, graph: Graph): readonly [Tensor, Summing] | undefined => {
  const { node } = source(part);
  const summing = summingOf(node);
  if (node.kind !== "apply" || summing === undefined || graph.isResult(node) || readersOf(node, graph).length > 1) return undefined;
  const { mod, div, gap } = summing.at;
  const matrix = source(node.inputs[0]);
  const own = matrix.node.kind === "apply" && matrix.node.op.inPlace === undefined && matrix.dtype === "f32" && outputIsRead(matrix, graph) === 1;
  const fits = div === 1 && gap === undefined && mod <= widest;
  return own && fits && !graph.isResult(matrix.node) ? [matrix, summing] : undefined;
};

/** How many nodes read an output of a node. */
const outputIsRead = ({ node, output }: Tensor, graph: Graph): number =>
  readersOf(node, graph).filter((reader) => reader.kind === "apply" && reader.inputs.map(source).some((t) => t.node === node && t.output === output)).length;

const isNext = (run: Run, [, { at, factor }]: readonly [Tensor, Summing], distance: number): boolean =>
  distance === run.matrices.length * aligned(at.mod) &&
  at.outer === run.summing.at.outer &&
  at.mod === run.summing.at.mod &&
  factor === run.summing.factor &&
  (run.matrices.length + 1) * aligned(at.outer * at.mod) <= most;

/** The runs of a pack as it was traced. */
const runsOf = (node: Node & { readonly kind: "pack" }, graph: Graph): readonly Run[] => {
  const runs: Run[] = [];
  node.parts.forEach((part, i) => {
    const found = matrixOf(part, graph);
    if (found === undefined) return;
    const last = runs[runs.length - 1];
    const follows = last !== undefined && last.first + last.matrices.length === i && isNext(last, found, node.offsets[i] - node.offsets[last.first]);
    if (follows) runs[runs.length - 1] = { ...last, matrices: [...last.matrices, found[0]] };
    else runs.push({ first: i, matrices: [found[0]], summing: found[1] });
  });
  const length = size(node.outputs[0].shape);
  return runs.filter(({ first, matrices, summing }) => matrices.length > 1 && node.offsets[first] + matrices.length * aligned(summing.at.mod) <= length);
};

/** Sums thin matrices together where one pack takes their sums. */
export const sharedSums: Pass = (program, { adapter }: Bounds) => {
  if (adapter.kind === "cpu") return program;
  return rewrite(program, (node, traced, graph) => {
    if (node.kind !== "pack" || traced.kind !== "pack") return undefined;
    const runs = runsOf(traced, graph);
    if (runs.length === 0) return undefined;
    const [parts, offsets]: [Tensor[], number[]] = [[], []];
    const taken = new Map(runs.map((run) => [run.first, run]));
    for (let i = 0; i < node.parts.length; ) {
      const run = taken.get(i);
      const each = run && aligned(size(run.matrices[0].shape));
      parts.push(
        run === undefined
          ? node.parts[i]
          : sumEach(
              pack(
                run.matrices.map((t) => graph.moved(t)),
                run.matrices.map((_, j) => j * each!),
                run.matrices.length * each!,
              ),
              run.matrices.length,
              run.summing,
            ),
      );
      offsets.push(node.offsets[i]);
      i += run?.matrices.length ?? 1;
    }
    return [pack(parts, offsets, size(node.outputs[0].shape))];
  });
};
