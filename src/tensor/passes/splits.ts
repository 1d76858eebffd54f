/**
 * Products that are split along k and end in one pack, the gradients of low-rank factors, have their parts added up by one launch for many of them. The parts
 * of each are computed where they lie one behind the other, and stay until the last is; so they are to be few. No bit changes: the parts are those that
 * each product has alone, and are added in the same order.
 */
import type { Bounds } from "../../kernels/bounds.ts";
import { inParts, partsOf, sumOfParts } from "../ops/parts.ts";
import type { Pack } from "../lives.ts";
import { alignment, pack, size, view, type Node, type Tensor } from "../tensor.ts";
import { mergedPack } from "./packs.ts";
import { graphOf, rewrite, type Graph, type Pass } from "./pass.ts";

/** Elements of parts that are added up at once, at most. */
const most = 2 ** 24;

/** Products that are split into as many parts, whose values one pack has one behind the other. */
interface Run {
  readonly products: readonly Node[];
  readonly parts: number;
  /** Where the value of the first begins in the pack, and how many elements they have. */
  readonly offset: number;
  readonly length: number;
}

/** The runs of a pack. */
const runsOf = (node: Pack, graph: Graph, bounds: Bounds): readonly Run[] => {
  const runs: Run[] = [];
  const fits = (parts: number, length: number): boolean => parts * length <= Math.min(most, bounds.maxBinding);
  node.parts.forEach((part, i) => {
    const [product, offset] = [part.node, node.offsets[i]];
    const [parts, length] = [partsOf(product, bounds), size(part.shape)];
    if (parts === undefined || length % alignment !== 0 || graph.isResult(product) || graph.readers(product).length > 1) return;
    const last = runs.at(-1);
    const follows = last?.parts === parts && offset === last.offset + last.length && fits(parts, last.length + length);
    if (follows) runs[runs.length - 1] = { ...last, products: [...last.products, product], length: last.length + length };
    else runs.push({ products: [product], parts, offset, length });
  });
  return runs.filter(({ products }) => products.length > 1);
};

/** The sums of a run, given the parts of its products in the order of the pack: a view for each product. */
const summed = ({ products, parts, length }: Run, partsOfEach: readonly Tensor[]): readonly Tensor[] => {
  let end = 0;
  const offsets = products.map(({ outputs: [{ shape }] }) => (end += size(shape)) - size(shape));
  const all = pack(
    partsOfEach,
    offsets.map((offset) => parts * offset),
    parts * length,
  );
  const sums = sumOfParts(all, parts);
  return products.map((product, i) => view(sums, offsets[i], product.outputs[0].shape));
};

/** Adds up the parts of many products together where one pack takes their values. */
export const sharedSplits: Pass = (program, bounds) => {
  const graph = graphOf(program);
  const runs = program.schedule.flatMap((node) => (node.kind === "pack" ? runsOf(node, graph, bounds) : []));
  const runOf = new Map(runs.flatMap((run) => run.products.map((product) => [product, run])));
  const done = new Map<Node, Tensor>();
  return rewrite(program, (node, traced, rewriting) => {
    const run = runOf.get(traced);
    if (run === undefined) return node.kind === "pack" ? mergedPack(node) : undefined;
    done.set(traced, inParts(node, run.parts));
    if (!run.products.every((product) => done.has(product))) return [done.get(traced)!];
    // The last of them: nothing has read the others yet.
    const sums = summed(
      run,
      run.products.map((product) => done.get(product)!),
    );
    run.products.forEach((product, i) => rewriting.replace(product, [sums[i]]));
    return [sums[run.products.indexOf(traced)]];
  });
};
