/**
 * Products that share an input, or whose inputs lie beside one another, are one launch on GPUs: x Aᵀ of the adapters of queries, keys and values, dy B, and
 * the gradients of their factors. Operands lie at equal distances in one tensor, or are computed where they will; the values lie one behind the other, where a
 * pack may have them as they are. What is larger than a binding stays apart, for a batch is not cut into windows. No bit changes: each is split along k as it
 * would be alone.
 */
import type { BindingBound } from "../../kernels/bounds.ts";
import { kindOf, together } from "../ops/productRewrites.ts";
import type { Program } from "../program.ts";
import { aligned, alignment, pack, size, view, type Applied, type Node, type Tensor } from "../tensor.ts";
import { mergedPack } from "./packs.ts";
import { rewrite, type Graph, type Pass, type Rewriting } from "./pass.ts";
import { isSame, located } from "./views.ts";

/** How many nodes of a program lie between products that are looked at together, at most. */
const reach = 60;

/** Elements of a tensor that is computed beside others for the sake of a product, at most. */
const small = 2 ** 25;

/** The elements from one tensor to the next, where all are views of one root at equal distances; undefined where they are not. */
const distanceOf = (tensors: readonly Tensor[]): number | undefined => {
  const places = tensors.map(located);
  const step = places[1][1] - places[0][1];
  const even = places.every(([root, offset], i) => isSame(root, places[0][0]) && offset === places[0][1] + i * step);
  return even && step >= 0 && step % alignment === 0 ? step : undefined;
};

/** An operand of products that become one: elements from that of one to that of the next, and the pack that has them so, where one does. */
interface Spread {
  readonly step: number;
  readonly packed?: Tensor;
}

/** Products that become one, in the order of their values, and the place of one of them, where they are computed. */
interface Group {
  readonly members: readonly Applied[];
  readonly at: Node;
  readonly spreads: readonly Spread[];
}

/** What groups depend on beside their products. */
interface Place {
  readonly graph: Graph;
  readonly bounds: BindingBound;
  /** Whether a node comes before the place where a group is computed. */
  readonly isThere: (node: Node) => boolean;
}

/** A pack that is there, and has tensors at equal distances. */
const packOf = (tensors: readonly Tensor[], { graph, isThere }: Place): Spread | undefined => {
  for (const node of graph.readers(tensors[0].node)) {
    if (node.kind !== "pack" || !isThere(node)) continue;
    const offsets = tensors.map((t) => node.offsets[node.parts.findIndex((part) => isSame(part, t))]);
    const step = offsets[1] - offsets[0];
    if (step > 0 && offsets.every((offset, i) => offset === i * step)) return { step, packed: { ...node.outputs[0], node, output: 0 } };
  }
  return undefined;
};

/** Whether a tensor is computed on its own, small, and may be computed beside others. */
const isMovable = ({ node, output, shape }: Tensor, graph: Graph): boolean =>
  node.kind === "apply" &&
  node.op.inPlace === undefined &&
  size(shape) <= small &&
  size(node.outputs[output].shape) === size(shape) &&
  !graph.readers(node).some((reader) => reader.kind === "pack");

/** The distance of first factors that are there one behind the other, or may be computed so. */
const packedSpread = (tensors: readonly Tensor[], place: Place): Spread | undefined =>
  packOf(tensors, place) ?? (tensors.every((t) => isMovable(t, place.graph)) ? { step: aligned(size(tensors[0].shape)) } : undefined);

/** How the operands of products lie; undefined where they do not lie evenly, or where those of all or their values are larger than a binding. */
const spreadsOf = (members: readonly Applied[], place: Place): readonly Spread[] | undefined => {
  const { meetings, shape } = kindOf(members[0])!;
  const fits = (step: number, last: number): boolean => (members.length - 1) * step + last <= place.bounds.maxBinding;
  const each = aligned(size(shape));
  if (members.length < 2 || !fits(each, each)) return undefined;
  const spreads: Spread[] = [];
  for (const j of members[0].inputs.keys()) {
    const tensors = members.map(({ inputs }) => inputs[j]);
    const distance = distanceOf(tensors);
    const spread = distance === undefined ? (j === 0 ? packedSpread(tensors, place) : undefined) : { step: distance };
    const meeting = meetings[j - 2];
    if (spread === undefined || !fits(spread.step, size(tensors[0].shape))) return undefined;
    if ((meeting === "same" && spread.step !== each) || (meeting === "one" && spread.step !== 0)) return undefined;
    spreads.push(spread);
  }
  const columns = spreads.filter((_, j) => meetings[j - 2] === "column");
  return columns.every(({ step }) => step === columns[0].step) ? spreads : undefined;
};

/** The pack that alone reads a product, and the offset there. */
const destinationOf = (node: Applied, graph: Graph): readonly [Node, number] | undefined => {
  const [reader, ...others] = graph.readers(node);
  if (reader?.kind !== "pack" || others.length > 0 || graph.isResult(node)) return undefined;
  return [reader, reader.offsets[reader.parts.findIndex((part) => part.node === node)]];
};

/** Products of which one pack has the values one behind the other, in that order; none where others lie between. */
const forOnePack = (products: readonly Applied[], graph: Graph): readonly Applied[] => {
  const found = products.flatMap((node) => {
    const destination = destinationOf(node, graph);
    return destination === undefined ? [] : [{ node, reader: destination[0], offset: destination[1] }];
  });
  const sorted = [...found].sort((a, b) => a.offset - b.offset);
  const each = sorted.length === 0 ? 0 : aligned(size(sorted[0].node.outputs[0].shape));
  const behind = sorted.every(({ reader, offset }, i) => reader === sorted[0].reader && offset === sorted[0].offset + i * each);
  return behind ? sorted.map(({ node }) => node) : [];
};

/** Whether a product is the first factor of another and nothing else: where that one has a group, the factors get a pack, and are a group in the next round. */
const waits = (node: Applied, graph: Graph): boolean => {
  const [reader, ...others] = graph.readers(node);
  return reader?.kind === "apply" && others.length === 0 && kindOf(reader) !== undefined && reader.inputs[0].node === node;
};

/** The group of a product and others of its kind, which come behind it in the program. */
const groupOf = (first: Applied, alike: readonly Applied[], before: (at: Node) => Place, graph: Graph): Group | undefined => {
  const [root] = located(first.inputs[1]);
  const besides = alike.filter(({ inputs }) => isSame(located(inputs[1])[0], root));
  // Values for a pack are computed where the last is, as nothing else reads them; all others where the first is.
  const packed = forOnePack(besides, graph);
  if (packed.length > 0) {
    const at = besides.filter((node) => packed.includes(node)).at(-1)!;
    const spreads = packed.includes(first) ? spreadsOf(packed, before(at)) : undefined;
    return spreads && { members: packed, at, spreads };
  }
  const place = before(first);
  const ready = besides.filter(({ inputs }) => inputs.every(({ node }) => place.isThere(node)));
  const sorted = [...ready].sort((a, b) => located(a.inputs[1])[1] - located(b.inputs[1])[1]);
  const sharing = sorted.filter(({ inputs }) => isSame(inputs[0], first.inputs[0]));
  // Others are computed beside one another where their second factors lie so.
  const beside = sorted.filter((node) => !waits(node, graph));
  for (const members of beside.includes(first) ? [sharing, beside] : [sharing]) {
    const spreads = spreadsOf(members, place);
    if (spreads !== undefined) return { members, at: first, spreads };
  }
  return undefined;
};

/** The groups of a program, by their members. */
const groupsOf = (schedule: readonly Node[], graph: Graph, bounds: BindingBound): ReadonlyMap<Node, Group> => {
  const groups = new Map<Node, Group>();
  const positions = new Map(schedule.map((node, i) => [node, i]));
  const positionOf = (node: Node): number => positions.get(node) ?? -1;
  const before = (at: Node): Place => ({ graph, bounds, isThere: (node) => positionOf(node) < positionOf(at) });
  const kinds = new Map<Node, string | undefined>(schedule.map((node) => [node, kindOf(node)?.key]));
  for (const [i, first] of schedule.entries()) {
    const kind = kinds.get(first);
    if (first.kind !== "apply" || kind === undefined || groups.has(first)) continue;
    const alike = schedule.slice(i, i + reach).filter((node): node is Applied => node.kind === "apply" && kinds.get(node) === kind && !groups.has(node));
    const group = groupOf(first, alike, before, graph);
    group?.members.forEach((member) => groups.set(member, group));
  }
  return groups;
};

/** Makes packs, of the same tensors only one. */
type Packer = (tensors: readonly Tensor[], step: number, moved: Rewriting["moved"]) => Tensor;

const packer = (): Packer => {
  const made: { readonly tensors: readonly Tensor[]; readonly packed: Tensor }[] = [];
  return (tensors, step, moved) => {
    const known = made.find((other) => other.tensors.length === tensors.length && other.tensors.every((t, i) => isSame(t, tensors[i])));
    if (known !== undefined) return known.packed;
    const offsets = tensors.map((_, i) => i * step);
    const packed = pack(tensors.map(moved), offsets, tensors.length * step);
    made.push({ tensors, packed });
    return packed;
  };
};

/** All of a group's operands in one tensor, as they were traced: that which they are views of, or a pack of them. */
const spanOf = (tensors: readonly Tensor[], { step, packed }: Spread, moved: Rewriting["moved"], packs: Packer): Tensor => {
  if (packed === undefined && distanceOf(tensors) === undefined) return packs(tensors, step, moved);
  const first = moved(packed ?? tensors[0]);
  if (step === 0) return first;
  const [root, offset] = located(first);
  const length = (tensors.length - 1) * step + size(tensors[0].shape);
  return offset === 0 && size(root.shape) === length ? root : view(root, offset, [length]);
};

/** Computes a group where `node` is, which is one of its products as it is by now. */
const computed = (node: Node, { members, spreads }: Group, { moved }: Rewriting, packs: Packer): readonly Tensor[] => {
  const { meetings } = kindOf(members[0])!;
  const inputs = spreads.map((spread, j) => {
    const tensors = members.map((member) => member.inputs[j]);
    return spanOf(tensors, spread, moved, packs);
  });
  const columns = meetings.includes("column") ? spreads[2 + meetings.indexOf("column")].step : 0;
  return together(node, inputs, { count: members.length, a: spreads[0].step, b: spreads[1].step, c: aligned(size(node.outputs[0].shape)), columns });
};

const once = (program: Program, bounds: BindingBound): Program => {
  let groups: ReadonlyMap<Node, Group> | undefined;
  const done = new Map<Node, readonly Tensor[]>();
  const packs = packer();
  return rewrite(program, (node, traced, graph) => {
    groups ??= groupsOf(program.schedule, graph, bounds);
    if (node.kind === "pack") return mergedPack(node);
    const group = groups.get(traced);
    if (group === undefined || done.has(traced)) return done.get(traced);
    if (group.at !== traced) return undefined;
    const outputs = computed(node, group, graph, packs);
    const each = aligned(size(traced.outputs[0].shape));
    const partsOf = (i: number): readonly Tensor[] => outputs.map((output, j) => view(output, i * each, traced.outputs[j].shape));
    group.members.forEach((member, i) => {
      done.set(member, partsOf(i));
      // Those that came before are read behind this place alone.
      graph.replace(member, done.get(member)!);
    });
    return done.get(traced);
  });
};

/** Products become views of one, and then others lie evenly that did not before: so often at most. */
const rounds = 3;

/** Computes products that share an input together. */
export const sharedInputs: Pass = (program, bounds) => {
  let now = program;
  for (let i = 0; i < rounds && bounds.adapter.kind === "gpu"; i++) {
    const next = once(now, bounds);
    if (next === now) break;
    now = next;
  }
  return now;
};
