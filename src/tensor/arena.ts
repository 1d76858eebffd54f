/**
 * Buffers that values share whose lives do not meet.
 *
 * While a program is planned every value has a number of its own, and the arena notes when it lives. Once all lives are known, values get slots, the largest
 * first, each a slot in which nothing lives at the same time (greedy by size: Pisarchyk and Lee, 2020). So a slot is as large as its first value, and never
 * grows.
 *
 * A slot is a buffer, not a part of one: what a launch reads and what it writes live at the same time, so it never binds one buffer for both.
 */
import type { Node } from "./tensor.ts";

/** A buffer of a plan, and what it is for. */
export interface PlannedBuffer {
  readonly label: string;
  readonly bytes: number;
}

/** A value as the holder of memory. */
export interface Holder {
  readonly node: Node;
  readonly output: number;
}

/** The buffers of a finished plan, and which of them stands behind a number. */
export interface Settled {
  readonly buffers: readonly PlannedBuffer[];
  readonly bufferOf: (number: number) => number;
}

/** Memory by number: what one value owns, and what values need for a time. */
export interface Arena {
  readonly own: (label: string, bytes: number) => number;
  /** Memory for a value from now on. */
  readonly allocate: (label: string, bytes: number, holder: Holder) => number;
  /** Hands memory on to the value that takes it over. */
  readonly hand: (number: number, holder: Holder) => void;
  /** From now on the value does not need the memory, if it holds it. */
  readonly free: (number: number, holder: Holder) => void;
  /** Gives every number a buffer. */
  readonly settle: () => Settled;
}

/** Memory that is needed from one moment to another. */
interface Life extends PlannedBuffer {
  readonly from: number;
  readonly until: number;
}

/** The first slot, by the order in which they were made, that is free during a life. */
const freeSlot = (slots: readonly (readonly Life[])[], { from, until }: Life): number =>
  slots.findIndex((lives) => lives.every((other) => other.until < from || until < other.from));

/** Lives by the slot that they share: those of the largest are placed first, and of equals those that begin first. */
const slotsOf = (lives: readonly Life[]): readonly (readonly Life[])[] => {
  const slots: Life[][] = [];
  for (const life of [...lives].sort((a, b) => b.bytes - a.bytes || a.from - b.from)) {
    const free = freeSlot(slots, life);
    if (free < 0) slots.push([life]);
    else slots[free].push(life);
  }
  return slots;
};

/** An arena without memory. */
export const makeArena = (): Arena => {
  const lives: { -readonly [K in keyof Life]: Life[K] }[] = [];
  const owned = new Set<Life>();
  const holders = new Map<number, Holder>();
  let moment = 0;
  const add = (label: string, bytes: number): number => lives.push({ label, bytes, from: moment++, until: Infinity }) - 1;
  return {
    own: (label, bytes) => {
      const number = add(label, bytes);
      owned.add(lives[number]);
      return number;
    },
    allocate: (label, bytes, holder) => {
      const number = add(label, bytes);
      holders.set(number, holder);
      return number;
    },
    hand: (number, holder) => void (holders.has(number) && holders.set(number, holder)),
    free: (number, { node, output }) => {
      const holder = holders.get(number);
      if (holder?.node !== node || holder.output !== output) return;
      holders.delete(number);
      lives[number].until = moment++;
    },
    settle: () => {
      const slots = [...[...owned].map((life) => [life]), ...slotsOf(lives.filter((life) => !owned.has(life)))];
      const buffers = slots.map(([first]) => ({ label: owned.has(first) ? first.label : `arena, first ${first.label}`, bytes: first.bytes }));
      const numbers = new Map(slots.flatMap((slot, buffer) => slot.map((life) => [life, buffer] as const)));
      return { buffers, bufferOf: (number) => numbers.get(lives[number])! };
    },
  };
};
