/** What a learner remembers between tasks: values under the name of the stage that keeps them. */
import type { Learner } from "./learner.ts";

/** A place in a learner's memory. */
export interface Memory<A> {
  /** What is remembered; the empty value before anything was. */
  readonly of: (learner: Pick<Learner, "memory">) => A;
  /** The learner that remembers `value` instead. */
  readonly keep: (learner: Learner, value: A) => Learner;
}

/** The place of the given name, `empty` at first. */
export const memory = <A>(name: string, empty: A): Memory<A> => ({
  of: (learner) => (learner.memory[name] as A | undefined) ?? empty,
  keep: (learner, value) => ({ ...learner, memory: { ...learner.memory, [name]: value } }),
});

/**
 * Bytes of all numbers that a learner keeps between tasks beside its weights: bases, branches, heads, counters. What two places share counts once.
 *
 * ```ts
 * const shared = new Float32Array(10);
 * assert.equal(bytesKept({ memory: { bases: new Map([["q", shared], ["k", shared]]), counts: [Uint32Array.of(1)] } }), 44);
 * ```
 */
export const bytesKept = ({ memory, head }: Pick<Learner, "memory" | "head">): number => {
  const met = new Set<unknown>();
  const bytes = (value: unknown): number => {
    if (typeof value !== "object" || value === null || met.has(value)) return 0;
    met.add(value);
    if (ArrayBuffer.isView(value)) return value.byteLength;
    const parts = value instanceof Map ? [...value.values()] : Object.values(value);
    return parts.reduce((n: number, part) => n + bytes(part), 0);
  };
  return bytes(memory) + bytes(head);
};
