/**
 * Small gradients of the factors of a model's layers are one launch on GPUs for all layers: a step of a small model is bound by how many launches it has, not
 * by their work. One pack takes the gradients, layer by layer; those of one kind of layer lie at equal distances there, and are computed there. What they are
 * products of is computed side by side and stays until the last layer is there; so it is to be little. No bit changes.
 */
import { hasGaps, type Pack } from "../lives.ts";
import { inSteps, stepKindOf } from "../ops/productRewrites.ts";
import { partsOf } from "../ops/parts.ts";
import type { Program } from "../program.ts";
import { aligned, inputsOf, pack, size, view, type Applied, type Node, type Tensor } from "../tensor.ts";
import { mergedPack } from "./packs.ts";
import { graphOf, rewrite, type Graph, type Pass, type Rewriting } from "./pass.ts";
import { isSame, located } from "./views.ts";

/** Elements of factors that may be kept for one launch whatever a program is, and however large it is. */
const [least, most] = [2 ** 16, 2 ** 22];
/** Between these, the share of what a program computes. */
const share = 1 / 64;

/** Elements of factors that a program may keep for one launch, so that its memory grows by little. */
const allowance = ({ schedule }: Program): number => {
  const computed = schedule.reduce((n, { kind, outputs }) => n + (kind === "apply" ? outputs.reduce((m, { shape }) => m + size(shape), 0) : 0), 0);
  return Math.min(most, Math.max(least, share * computed));
};

/** Products of a kind, whose values lie at equal distances in a pack. */
interface Ladder {
  readonly products: readonly Applied[];
  readonly step: number;
}

/** A product that could be a rung, with its place in a pack. */
interface Rung {
  readonly product: Applied;
  readonly offset: number;
}

/** The longest ladder that begins with a rung; of equals the one with the shortest steps. */
const ladderFrom = (first: Rung, others: readonly Rung[]): readonly Rung[] => {
  const at = new Map(others.map((rung) => [rung.offset, rung]));
  let best: readonly Rung[] = [];
  for (const { offset } of others) {
    const found: Rung[] = [first];
    for (let next = offset; at.has(next); next += offset - first.offset) found.push(at.get(next)!);
    if (found.length > best.length) best = found;
  }
  return best;
};

/** The nodes that read a node, through views. */
const readersThrough = (node: Node, graph: Graph): readonly Node[] =>
  graph.readers(node).flatMap((reader) => (reader.kind === "view" ? readersThrough(reader, graph) : [reader]));

/** Whether a pack has a value, or a part of it. */
const isPacked = (root: Tensor, graph: Graph): boolean =>
  readersThrough(root.node, graph).some((reader) => reader.kind === "pack" && reader.parts.some((part) => isSame(located(part)[0], root)));

/** Whether a factor may be computed beside others: it is all of a value, or of a pack, that nothing else claims. */
const isMovable = (t: Tensor, graph: Graph): boolean => {
  const [root, offset] = located(t);
  const { node, output } = root;
  const own = node.kind === "apply" ? node.op.inPlace === undefined : node.kind === "pack" && !hasGaps(node);
  return own && offset === 0 && size(node.outputs[output].shape) === size(t.shape) && !graph.isResult(node) && !isPacked(root, graph);
};

/** A value, or the values that a pack has. */
const valuesOf = (root: Tensor): readonly Tensor[] => (root.node.kind === "pack" ? root.node.parts.map((part) => located(part)[0]) : [root]);

/** Whether factors may be computed one behind the other: few, each alone, and none from another, as a launch cannot read the buffer that it writes. */
const areMovable = (tensors: readonly Tensor[], graph: Graph, allowed: number): boolean => {
  if (tensors.length * aligned(size(tensors[0].shape)) > allowed || !tensors.every((t) => isMovable(t, graph))) return false;
  const values = tensors.flatMap((t) => valuesOf(located(t)[0]));
  const read = values.flatMap(({ node }) => inputsOf(node).map((t) => located(t)[0]));
  return values.every((value, i) => ![...values.slice(0, i), ...read].some((other) => isSame(value, other)));
};

/** The ladders of a pack. */
const laddersOf = (node: Pack, graph: Graph, allowed: number, isFit: (product: Node) => boolean): readonly Ladder[] => {
  const kinds = new Map<string, Rung[]>();
  node.parts.forEach((part, i) => {
    const kind = stepKindOf(part.node);
    const product = part.node as Applied;
    if (kind === undefined || graph.readers(product).length > 1 || graph.isResult(product) || !isFit(product)) return;
    kinds.set(kind, [...(kinds.get(kind) ?? []), { product, offset: node.offsets[i] }]);
  });
  return [...kinds.values()].flatMap((all) => {
    const found: Ladder[] = [];
    for (let rungs = [...all].sort((a, b) => a.offset - b.offset); rungs.length > 1; ) {
      const ladder = ladderFrom(rungs[0], rungs.slice(1));
      const products = ladder.map(({ product }) => product);
      const fits = [0, 1].every((j) =>
        areMovable(
          products.map(({ inputs }) => inputs[j]),
          graph,
          allowed,
        ),
      );
      if (fits) found.push({ products, step: ladder[1].offset - ladder[0].offset });
      rungs = rungs.filter((rung) => rung !== rungs[0] && !(fits && ladder.includes(rung)));
    }
    return found;
  });
};

/** Ladders without those that have a factor of one before: it is computed in one place. */
const apart = (ladders: readonly Ladder[]): readonly Ladder[] => {
  const claimed: Tensor[] = [];
  return ladders.filter(({ products }) => {
    const factors = products.flatMap(({ inputs }) => inputs.map((t) => located(t)[0]));
    const free = factors.every((root) => !claimed.some((other) => isSame(root, other)));
    if (free) claimed.push(...factors);
    return free;
  });
};

/** One product for all of a ladder, where its last is: a view for each of them. */
const climbed = ({ products, step }: Ladder, { moved }: Rewriting): readonly Tensor[] => {
  const each = [0, 1].map((j) => aligned(size(products[0].inputs[j].shape)));
  const factors = each.map((length, j) =>
    pack(
      products.map(({ inputs }) => moved(inputs[j])),
      products.map((_, i) => i * length),
      products.length * length,
    ),
  );
  const values = inSteps(products[0], factors, { count: products.length, a: each[0], b: each[1], c: step });
  return products.map(({ outputs: [{ shape }] }, i) => view(values, i * step, shape));
};

/** Computes the gradients of small layers of one kind together. */
export const sharedLayers: Pass = (program, bounds) => {
  // Who has blocks computed again wants memory more than time.
  if (bounds.adapter.kind === "cpu" || program.recompute === "blocks") return program;
  const graph = graphOf(program);
  const allowed = allowance(program);
  const isWhole = (product: Node): boolean => partsOf(product, bounds) === undefined;
  const ladders = apart(program.schedule.flatMap((node) => (node.kind === "pack" ? laddersOf(node, graph, allowed, isWhole) : [])));
  const ladderOf = new Map(ladders.flatMap((ladder) => ladder.products.map((product): [Node, Ladder] => [product, ladder])));
  const seen = new Set<Node>();
  return rewrite(program, (node, traced, rewriting) => {
    const ladder = ladderOf.get(traced);
    if (ladder === undefined) return node.kind === "pack" ? mergedPack(node) : undefined;
    seen.add(traced);
    if (!ladder.products.every((product) => seen.has(product))) return undefined;
    // The last of them: nothing has read the others yet.
    const values = climbed(ladder, rewriting);
    ladder.products.forEach((product, i) => rewriting.replace(product, [values[i]]));
    return [values[ladder.products.indexOf(traced as Applied)]];
  });
};
