/**
 * Memory: which buffer stands behind every tensor of a program.
 *
 * The life of every value is known, so buffers are shared by values that never live at the same time (`arena.ts`). A buffer is either *owned* (by a
 * leaf, an output or a pack with gaps, which must stay zero) or a *slot* of the arena. A view lies in the buffer of
 * what it views; a part of a pack is computed where it will lie; an update in place takes over the buffer of what it updates, and what is computed element by
 * element that of an operand whose life ends there.
 *
 * Otherwise a value and what it is computed from lie in different buffers, so a launch never binds one buffer for reading and for writing.
 */
import type { Launch, Operand } from "../kernels/launch.ts";
import type { Target } from "../kernels/target.ts";
import { makeArena, type Arena, type PlannedBuffer } from "./arena.ts";
import { claims, hasGaps, keptOutputs, lastUses, packsOf, readsOf, rootOf, writtenIn, type Pack, type Place } from "./lives.ts";
import { copy } from "./ops/window.ts";
import { mayTake, overwritten, type Lives } from "./overwrite.ts";
import { makePlaces, type Places } from "./places.ts";
import type { Program } from "./program.ts";
import { byteSize, bytesOf, size, type Applied, type Node, type Over, type Spec, type Tensor } from "./tensor.ts";

/** A part of a buffer, in bytes. */
export interface Extent extends Place {
  readonly bytes: number;
}

/** A launch, and where its operands lie. */
export interface PlannedLaunch {
  readonly launch: Launch;
  readonly operands: readonly (Extent | undefined)[];
}

/** Where every value of a program lies, and which launches compute them. */
export interface Plan {
  readonly buffers: readonly PlannedBuffer[];
  readonly launches: readonly PlannedLaunch[];
  /** The buffer of every leaf, by role and name: `frozen:weight`. */
  readonly leaves: ReadonlyMap<string, Place>;
  readonly outputs: ReadonlyMap<string, Extent>;
}

type Leaf = Node & { readonly kind: "leaf" };

/** The key of a leaf in {@link Plan.leaves}. */
export const leafKey = (node: Leaf): string => `${node.role}:${node.name}`;

/** A plan that is being made. */
interface Draft extends Lives {
  readonly target: Target;
  readonly arena: Arena;
  readonly places: Places;
  readonly launches: PlannedLaunch[];
}

/** Writes down the launches of an operation whose inputs and outputs have places. */
const emit = (
  { target, launches }: Draft,
  node: Applied,
  ins: readonly Place[],
  outs: readonly Place[],
  { between = [], over }: { readonly between?: readonly Place[]; readonly over?: Over } = {},
): void => {
  const scratch = between.length === 0 ? [] : node.op.scratch!(target);
  const found = ({ from, index }: Operand): readonly [Place, Spec] => {
    if (from === "input") return [ins[index], node.inputs[index]];
    return from === "output" ? [outs[index], node.outputs[index]] : [between[index], scratch[index]];
  };
  for (const launch of node.op.lower(target, over)) {
    if (launch.grid.some((g) => g === 0)) continue;
    const operands = launch.operands.map((o): Extent | undefined => {
      if (o === undefined) return undefined;
      const [{ buffer, offset }, spec] = found(o);
      const unit = bytesOf[spec.dtype];
      return { buffer, offset: offset + unit * (o.offset ?? 0), bytes: unit * (o.length ?? size(spec.shape)) };
    });
    launches.push({ launch, operands });
  }
};

/** Copies a value from one place to another; within a buffer by way of a third place. */
const copyTo = (draft: Draft, from: Tensor, to: Place, at: Place = draft.places.of(from)): void => {
  if (at.buffer === to.buffer) {
    const between = { buffer: draft.arena.own("between", byteSize(from)), offset: 0 };
    copyTo(draft, from, between, at);
    copyTo(draft, from, to, between);
    return;
  }
  const copied = copy({ shape: [size(from.shape)], dtype: from.dtype, node: from.node, output: from.output });
  emit(draft, copied.node as Applied, [at], [to]);
};

/** The place of a value that overwrites an input: the input's own where it may be taken over, else a copy of it. */
const placeUpdate = (draft: Draft, node: Applied, ins: readonly Place[], updated: number, output: number, at: number): Place => {
  const { arena, places } = draft;
  if (mayTake(draft, ins, node, updated, output, at)) {
    const [root] = rootOf(node.inputs[updated]);
    arena.hand(ins[updated].buffer, { node, output });
    places.put(root.node, root.output, undefined);
    return ins[updated];
  }
  const place = { buffer: arena.own(node.op.name, byteSize(node.outputs[output])), offset: 0 };
  copyTo(draft, node.inputs[updated], place);
  return place;
};

/**
 * Where a pack lies: from its first part to its last reader, in the pack that it is a part of where there is one; or in a buffer of its own where it has gaps,
 * which must stay zero from run to run.
 */
const placeOfPack = (draft: Draft, pack: Pack): Place => {
  const { arena, places, kept, claimed } = draft;
  const there = places.find({ ...pack.outputs[0], node: pack, output: 0 });
  if (there !== undefined) return there;
  const claim = claimed({ node: pack, output: 0 });
  if (claim !== undefined) {
    const outer = placeOfPack(draft, claim.pack);
    const inside = { buffer: outer.buffer, offset: outer.offset + claim.offset };
    places.put(pack, 0, inside);
    return inside;
  }
  const bytes = byteSize(pack.outputs[0]);
  const owned = hasGaps(pack) || kept(pack, 0);
  const place = { buffer: owned ? arena.own("pack", bytes) : arena.allocate("pack", bytes, { node: pack, output: 0 }), offset: 0 };
  places.put(pack, 0, place);
  return place;
};

const placeOutput = (draft: Draft, node: Applied, ins: readonly Place[], output: number, at: number, updated = node.op.inPlace?.[output]): Place => {
  const { arena, claimed, kept } = draft;
  if (updated !== undefined) return placeUpdate(draft, node, ins, updated, output, at);
  // A part that is computed from another part of its pack is copied there later: a launch cannot read the buffer that it writes.
  const claim = claimed({ node, output });
  const pack = claim && placeOfPack(draft, claim.pack);
  if (claim !== undefined && ins.every((place) => place.buffer !== pack!.buffer)) return { buffer: pack!.buffer, offset: pack!.offset + claim.offset };
  const bytes = byteSize(node.outputs[output]);
  if (kept(node, output)) return { buffer: arena.own(`output of ${node.op.name}`, bytes), offset: 0 };
  return { buffer: arena.allocate(node.op.name, bytes, { node, output }), offset: 0 };
};

/** Frees the slots of the values that a node is the last to read. */
const release = ({ arena, places, lastUse, claimed }: Draft, node: Node, at: number): void => {
  for (const t of readsOf(node)) {
    const [root] = rootOf(t);
    for (const value of [root, ...packsOf(root, claimed).map((pack) => ({ ...root, node: pack, output: 0 }))]) {
      const place = places.find(value);
      if (place !== undefined && lastUse(value) <= at) arena.free(place.buffer, value);
    }
  }
};

const planPack = (draft: Draft, node: Pack): void => {
  const { buffer, offset } = placeOfPack(draft, node);
  node.parts.forEach((part, i) => {
    const to = { buffer, offset: offset + bytesOf[part.dtype] * node.offsets[i] };
    const from = draft.places.of(part);
    if (from.buffer === to.buffer && from.offset === to.offset) return;
    // Other parts may lie between what one of them has.
    for (const { first, length } of writtenIn(part)) {
      const [there, here] = [to, from].map((place) => ({ ...place, offset: place.offset + bytesOf[part.dtype] * first }));
      copyTo(draft, { ...part, shape: [length] }, there, here);
    }
  });
};

const planApplied = (draft: Draft, node: Applied, at: number): void => {
  const ins = node.inputs.map(draft.places.of);
  const over = overwritten(draft, node, ins, at);
  const outs = node.outputs.map((_, output) => placeOutput(draft, node, ins, output, at, over[output]));
  outs.forEach((place, output) => draft.places.put(node, output, place));
  const between = (node.op.scratch?.(draft.target) ?? []).map((spec, i) => {
    const holder = { node, output: node.outputs.length + i };
    return { holder, buffer: draft.arena.allocate(`scratch of ${node.op.name}`, byteSize(spec), holder), offset: 0 };
  });
  emit(draft, node, ins, outs, { between, over });
  between.forEach(({ buffer, holder }) => draft.arena.free(buffer, holder));
};

/**
 * Copies states home that were not updated in place. What lies in a home that gets a new value is saved before: old states that are outputs, or new values of
 * other states. Returns where the outputs are.
 */
const bringHome = (draft: Draft, leaves: ReadonlyMap<string, Place>): ReadonlyMap<string, Extent> => {
  const { program, places, arena } = draft;
  const homes = Object.entries(program.state).map(([name, t]) => ({ t, home: leaves.get(`state:${name}`)!, from: places.of(t) }));
  const moves = homes.filter(({ home, from }) => from.buffer !== home.buffer || from.offset !== home.offset);
  const overwritten = new Set(moves.map(({ home }) => home.buffer));
  const saved = (label: string, t: Tensor, from: Place): Place => {
    if (!overwritten.has(from.buffer)) return from;
    const place = { buffer: arena.own(label, byteSize(t)), offset: 0 };
    copyTo(draft, t, place, from);
    return place;
  };
  const outputs = Object.entries(program.outputs).map(([name, t]) => [name, { ...saved(`output ${name}`, t, places.of(t)), bytes: byteSize(t) }] as const);
  const moved = moves.map(({ t, home, from }) => ({ t, home, from: saved("state on its way", t, from) }));
  moved.forEach(({ t, home, from }) => copyTo(draft, t, home, from));
  return new Map(outputs);
};

/** Plans a program for a target: every launch, and an arena that values share whose lives do not meet. */
export const plan = (program: Program, target: Target, arena: Arena = makeArena()): Plan => {
  const places = makePlaces();
  const leaves = new Map<string, Place>();
  for (const node of program.leaves) {
    const place = { buffer: arena.own(`${node.role} ${node.name}`, byteSize(node.outputs[0])), offset: 0 };
    places.put(node, 0, place);
    leaves.set(leafKey(node), place);
  }
  const claimed = claims(program);
  const draft: Draft = { program, target, arena, places, launches: [], lastUse: lastUses(program, claimed), claimed, kept: keptOutputs(program) };

  program.schedule.forEach((node, at) => {
    if (node.kind === "pack") planPack(draft, node);
    else if (node.kind === "apply") planApplied(draft, node, at);
    else return;
    release(draft, node, at);
    // Outputs that nobody reads (what only a gradient would need) are free at once.
    node.outputs.forEach((spec, output) => {
      const t = { ...spec, node, output };
      if (draft.lastUse(t) < 0) arena.free(places.of(t).buffer, t);
    });
  });
  const outputs = bringHome(draft, leaves);
  const { buffers, bufferOf } = arena.settle();
  const settled = <P extends Place>(place: P): P => ({ ...place, buffer: bufferOf(place.buffer) });
  const all = <P extends Place>(places: ReadonlyMap<string, P>): ReadonlyMap<string, P> => new Map([...places].map(([name, place]) => [name, settled(place)]));
  const launches = draft.launches.map(({ launch, operands }) => ({ launch, operands: operands.map((o) => o && settled(o)) }));
  return { buffers, launches, leaves: all(leaves), outputs: all(outputs) };
};
