/** Buffers that values share whose lives do not meet. */
import type { Node } from "./tensor.ts";

/** A buffer of a plan, and what it is for. */
export interface PlannedBuffer {
  readonly label: string;
  readonly bytes: number;
}

/** A value as the holder of a slot. */
export interface Holder {
  readonly node: Node;
  readonly output: number;
}

/** Buffers: those that one value owns, and slots that values hold one after another. */
export interface Arena {
  readonly buffers: readonly PlannedBuffer[];
  readonly own: (label: string, bytes: number) => number;
  /** Gives a value a slot: the smallest free one that fits, else the largest, which grows, else a new one. */
  readonly allocate: (label: string, bytes: number, holder: Holder) => number;
  /** Hands a slot on to the value that takes over its memory. */
  readonly hand: (buffer: number, holder: Holder) => void;
  /** Frees the slot, if the value holds it. */
  readonly free: (buffer: number, holder: Holder) => void;
}

/** An arena without buffers. */
export const makeArena = (): Arena => {
  const buffers: { label: string; bytes: number }[] = [];
  const free = new Set<number>();
  const holders = new Map<number, Holder>();
  const own = (label: string, bytes: number): number => buffers.push({ label, bytes }) - 1;
  const better = (a: number, b: number, bytes: number): boolean => {
    const [x, y] = [buffers[a].bytes, buffers[b].bytes];
    return x >= bytes ? y < bytes || x < y : y < bytes && x > y;
  };
  return {
    buffers,
    own,
    allocate: (label, bytes, holder) => {
      let best: number | undefined;
      for (const slot of free) if (best === undefined || better(slot, best, bytes)) best = slot;
      const slot = best ?? own(`arena, first ${label}`, bytes);
      free.delete(slot);
      buffers[slot].bytes = Math.max(buffers[slot].bytes, bytes);
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
