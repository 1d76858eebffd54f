/**
 * Memory: which buffer stands behind every tensor of a program.
 *
 * The life of every value is known, so buffers are shared by values that never live at the same time. A buffer is either *owned* (by a
 * leaf, an output or a pack of gradients, whose gaps must stay zero) or a *slot* of the arena. A view lies in the buffer of
 * what it views; a part of a pack is computed where it will lie; an update in place takes over the buffer of what it updates.
 *
 * A value and what it is computed from always lie in different buffers, so a launch never binds one buffer for reading and for writing.
 */
import type { Launch } from "../kernels/launch.ts";
import type { Target } from "../kernels/target.ts";
import { copy } from "./ops/window.ts";
import type { Program } from "./program.ts";
import { size, type Node, type Tensor } from "./tensor.ts";

/** Where a tensor lies: a buffer by number and an offset in elements. */
export interface Place {
  readonly buffer: number;
  readonly offset: number;
}

/** A buffer of the plan, `elements` long, and what it is for. */
export interface PlannedBuffer {
  readonly label: string;
  /** Elements of four bytes. */
  readonly elements: number;
}

/** A launch whose operands are places; `write` says which. */
export interface PlannedLaunch {
  readonly launch: Launch;
  readonly operands: readonly ({ readonly place: Place; readonly elements: number } | undefined)[];
}

/** Where every value of a program lies, and which launches compute them. */
export interface Plan {
  readonly buffers: readonly PlannedBuffer[];
  readonly launches: readonly PlannedLaunch[];
  /** The buffer of every leaf, by role and name: `frozen:weight`. */
  readonly leaves: ReadonlyMap<string, Place>;
  readonly outputs: ReadonlyMap<string, Place & { readonly elements: number }>;
}

/** The key of a leaf in {@link Plan.leaves}. */
export const leafKey = (node: Node & { readonly kind: "leaf" }): string => `${node.role}:${node.name}`;

/** The tensor whose memory a tensor lies in, through views: [root, offset]. */
const rootOf = (t: Tensor): readonly [Tensor, number] => {
  let [root, offset] = [t, 0];
  while (root.node.kind === "view") [root, offset] = [root.node.of, offset + root.node.offset];
  return [root, offset];
};

const inputsOf = (node: Node): readonly Tensor[] => (node.kind === "apply" ? node.inputs : node.kind === "pack" ? node.parts : []);

/** The position in the schedule of the last node that reads a value; -1 where none does, Infinity where the value outlives the run. */
const lastUses = (program: Program): ((t: Tensor) => number) => {
  const last = new Map<Node, number[]>();
  const use = (t: Tensor, at: number): void => {
    const [root] = rootOf(t);
    const uses = last.get(root.node) ?? root.node.outputs.map(() => -1);
    uses[root.output] = Math.max(uses[root.output], at);
    last.set(root.node, uses);
  };
  program.schedule.forEach((node, at) => inputsOf(node).forEach((t) => use(t, at)));
  for (const t of [...Object.values(program.outputs), ...Object.values(program.state)]) use(t, Infinity);
  return ({ node, output }) => last.get(node)?.[output] ?? -1;
};

/** The places that packs claim for their parts: those that are computed on their own, and each for one pack only. */
const claims = (program: Program, placeOf: (t: Tensor) => Place): ((t: { readonly node: Node; readonly output: number }) => Place | undefined) => {
  const places = new Map<Node, Map<number, Place>>();
  for (const node of program.schedule) {
    if (node.kind !== "pack") continue;
    const { buffer } = placeOf({ ...node.outputs[0], node, output: 0 });
    node.parts.forEach((part, i) => {
      const [root, offset] = rootOf(part);
      const known = places.get(root.node) ?? new Map<number, Place>();
      const whole = offset === 0 && size(root.shape) === size(part.shape);
      if (root.node.kind !== "apply" || root.node.op.inPlace !== undefined || !whole || known.has(root.output)) return;
      places.set(root.node, known.set(root.output, { buffer, offset: node.offsets[i] }));
    });
  }
  return ({ node, output }) => places.get(node)?.get(output);
};

/** A value as the holder of a slot. */
type Holder = { readonly node: Node; readonly output: number };

/** Buffers: those that one value owns, and slots that values hold one after another. */
interface Arena {
  readonly buffers: readonly PlannedBuffer[];
  readonly own: (label: string, elements: number) => number;
  /** Gives a value a slot: the smallest free one that fits, else the largest, which grows, else a new one. */
  readonly allocate: (label: string, elements: number, holder: Holder) => number;
  /** Hands a slot on to the value that takes over its memory. */
  readonly hand: (buffer: number, holder: Holder) => void;
  /** Frees the slot, if the value holds it. */
  readonly free: (buffer: number, holder: Holder) => void;
}

const makeArena = (): Arena => {
  const buffers: { label: string; elements: number }[] = [];
  const free = new Set<number>();
  const holders = new Map<number, Holder>();
  const own = (label: string, elements: number): number => buffers.push({ label, elements }) - 1;
  const better = (a: number, b: number, elements: number): boolean => {
    const [x, y] = [buffers[a].elements, buffers[b].elements];
    return x >= elements ? y < elements || x < y : y < elements && x > y;
  };
  return {
    buffers,
    own,
    allocate: (label, elements, holder) => {
      let best: number | undefined;
      for (const slot of free) if (best === undefined || better(slot, best, elements)) best = slot;
      const slot = best ?? own(`arena, first ${label}`, elements);
      free.delete(slot);
      buffers[slot].elements = Math.max(buffers[slot].elements, elements);
      holders.set(slot, holder);
      return slot;
    },
    hand: (buffer, holder) => void (holders.has(buffer) && holders.set(buffer, holder)),
    free: (buffer, { node, output }) => {
      const holder = holders.get(buffer);
      if (holder?.node !== node || holder.output !== output) return;
      holders.delete(buffer);
      free.add(buffer);
    },
  };
};

/** Plans a program for a target: every launch, and an arena that values share whose lives do not meet. */
export const plan = (program: Program, target: Target): Plan => {
  const arena = makeArena();
  const { own } = arena;
  const lastUse = lastUses(program);
  const launches: PlannedLaunch[] = [];

  // Places of values, by node and output. A value whose place is taken over by an update is no longer there.
  const places = new Map<Node, (Place | undefined)[]>();
  const placeOf = (t: Tensor): Place => {
    const [root, offset] = rootOf(t);
    const place = places.get(root.node)?.[root.output];
    if (place === undefined) throw new Error(`no place for ${root.node.kind} (an old value is read after its update)`);
    return { buffer: place.buffer, offset: place.offset + offset };
  };
  const put = (node: Node, output: number, place: Place): void => {
    const slots = places.get(node) ?? node.outputs.map(() => undefined);
    slots[output] = place;
    places.set(node, slots);
  };

  const leaves = new Map<string, Place>();
  for (const node of program.leaves) {
    const place = { buffer: own(`${node.role} ${node.name}`, size(node.outputs[0].shape)), offset: 0 };
    put(node, 0, place);
    leaves.set(leafKey(node), place);
  }

  // Packs have buffers of their own, which their parts are computed in where they can.
  for (const node of program.schedule) if (node.kind === "pack") put(node, 0, { buffer: arena.own("pack", size(node.outputs[0].shape)), offset: 0 });
  const claimed = claims(program, placeOf);

  // Outputs that nobody else owns get a buffer of their own, so that they can be read after a run.
  const kept = new Map<Node, Set<number>>();
  for (const t of Object.values(program.outputs)) {
    const [root] = rootOf(t);
    kept.set(root.node, (kept.get(root.node) ?? new Set()).add(root.output));
  }

  const emit = (node: Node & { readonly kind: "apply" }, ins: readonly Place[], outs: readonly Place[]): void => {
    for (const launch of node.op.lower(target)) {
      if (launch.grid.some((g) => g === 0)) continue;
      launches.push({
        launch,
        operands: launch.operands.map((o) => {
          if (o === undefined) return undefined;
          const place = o.from === "input" ? ins[o.index] : outs[o.index];
          const spec = o.from === "input" ? node.inputs[o.index] : node.outputs[o.index];
          return { place: { buffer: place.buffer, offset: place.offset + (o.offset ?? 0) }, elements: o.length ?? size(spec.shape) };
        }),
      });
    }
  };

  /** Copies a value from one place to another; within a buffer by way of a third place. */
  const copyTo = (from: Tensor, to: Place, at: Place = placeOf(from)): void => {
    if (at.buffer === to.buffer) {
      const between = { buffer: own("between", size(from.shape)), offset: 0 };
      copyTo(from, between, at);
      copyTo(from, to, between);
      return;
    }
    const copied = copy({ shape: [size(from.shape)], dtype: from.dtype, node: from.node, output: from.output });
    emit(copied.node as Node & { kind: "apply" }, [at], [to]);
  };

  /**
   * Whether an update may take over the memory of one of its inputs: nobody reads the old value, or another value in its buffer, later, and
   * the old value is not one that outlives the run.
   */
  const mayTake = (ins: readonly Place[], node: Node & { readonly kind: "apply" }, updated: number, output: number, at: number): boolean => {
    const [root, offset] = rootOf(node.inputs[updated]);
    const uses = root.node.kind === "pack" ? [root, ...root.node.parts.map((part) => rootOf(part)[0])] : [root];
    return (
      offset === 0 &&
      size(root.shape) === size(node.outputs[output].shape) &&
      uses.every((t) => lastUse(t) <= at) &&
      ins.every((place, i) => i === updated || place.buffer !== ins[updated].buffer) &&
      claimed(root) === undefined &&
      (root.node.kind !== "leaf" || (root.node.role === "state" && root.node.name in program.state))
    );
  };

  const release = (node: Node, at: number): void => {
    for (const t of inputsOf(node)) {
      const [root] = rootOf(t);
      const place = places.get(root.node)?.[root.output];
      if (place !== undefined && lastUse(root) <= at) arena.free(place.buffer, root);
    }
  };

  program.schedule.forEach((node, at) => {
    if (node.kind === "pack") {
      const own = placeOf({ ...node.outputs[0], node, output: 0 });
      node.parts.forEach((part, i) => {
        const to = { buffer: own.buffer, offset: node.offsets[i] };
        const from = placeOf(part);
        if (from.buffer !== to.buffer || from.offset !== to.offset) copyTo(part, to);
      });
      release(node, at);
    } else if (node.kind === "apply") {
      const ins = node.inputs.map(placeOf);
      const outs = node.outputs.map((spec, output): Place => {
        const updated = node.op.inPlace?.[output];
        if (updated !== undefined) {
          if (mayTake(ins, node, updated, output, at)) {
            const place = ins[updated];
            const [root] = rootOf(node.inputs[updated]);
            arena.hand(place.buffer, { node, output });
            places.get(root.node)![root.output] = undefined;
            return place;
          }
          const place = { buffer: own(node.op.name, size(spec.shape)), offset: 0 };
          copyTo(node.inputs[updated], place);
          return place;
        }
        // A part that is computed from another part of its pack is copied there later: a launch cannot read the buffer that it writes.
        const claim = claimed({ node, output });
        if (claim !== undefined && ins.every((place) => place.buffer !== claim.buffer)) return claim;
        if (kept.get(node)?.has(output)) return { buffer: own(`output of ${node.op.name}`, size(spec.shape)), offset: 0 };
        return { buffer: arena.allocate(node.op.name, size(spec.shape), { node, output }), offset: 0 };
      });
      outs.forEach((place, output) => put(node, output, place));
      emit(node, ins, outs);
      release(node, at);
      // Outputs that nobody reads (what only a gradient would need) are free at once.
      node.outputs.forEach((spec, output) => {
        if (lastUse({ ...spec, node, output }) < 0) arena.free(outs[output].buffer, { node, output });
      });
    }
  });

  // A state that was not updated in place is copied home. What lies in a home that gets a new value is saved before: old states that are
  // outputs, or new values of other states.
  const homes = Object.entries(program.state).map(([name, t]) => ({ t, home: leaves.get(`state:${name}`)!, from: placeOf(t) }));
  const moves = homes.filter(({ home, from }) => from.buffer !== home.buffer || from.offset !== home.offset);
  const overwritten = new Set(moves.map(({ home }) => home.buffer));
  const saved = (label: string, t: Tensor, from: Place): Place => {
    if (!overwritten.has(from.buffer)) return from;
    const place = { buffer: own(label, size(t.shape)), offset: 0 };
    copyTo(t, place, from);
    return place;
  };
  const outputs = new Map(Object.entries(program.outputs).map(([name, t]) => [name, { ...saved(`output ${name}`, t, placeOf(t)), elements: size(t.shape) }]));
  moves.map(({ t, home, from }) => ({ t, home, from: saved("state on its way", t, from) })).forEach(({ t, home, from }) => copyTo(t, home, from));
  return { buffers: arena.buffers, launches, leaves, outputs };
};
