/** Input that nobody meant: bytes and JSON that were damaged, and values where others belong. */
import fc from "fast-check";

/** A change of bytes. Places are parts of their length, so that a shrunk change stays one. */
type Change =
  | { readonly kind: "set"; readonly at: number; readonly byte: number }
  | { readonly kind: "cut"; readonly at: number; readonly length: number }
  | { readonly kind: "copy"; readonly at: number; readonly from: number; readonly length: number }
  | { readonly kind: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly at: number };

const place = fc.double({ min: 0, max: 1, noNaN: true });
const short = fc.nat({ max: 64 });

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), at: place, byte: fc.oneof(fc.constantFrom(0, 0xff, 0x7f, 0x80), fc.nat({ max: 255 })) }),
  fc.record({ kind: fc.constant("cut" as const), at: place, length: short }),
  fc.record({ kind: fc.constant("copy" as const), at: place, from: place, length: short }),
  fc.record({ kind: fc.constant("insert" as const), at: place, bytes: fc.uint8Array({ maxLength: 32 }) }),
  fc.record({ kind: fc.constant("end" as const), at: place }),
);

const joined = (...parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const apply = (bytes: Uint8Array, c: Change): Uint8Array => {
  const at = Math.floor(c.at * bytes.length);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (c.kind) {
    case "set":
      return joined(before, Uint8Array.of(c.byte), after.subarray(1));
    case "cut":
      return joined(before, after.subarray(c.length));
    case "copy": {
      const from = Math.floor(c.from * bytes.length);
      return joined(before, bytes.subarray(from, from + c.length), after);
    }
    case "insert":
      return joined(before, c.bytes, after);
    case "end":
      return before;
  }
};

/** Bytes of one of these files, damaged in some places. */
export const damaged = (...files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.constantFrom(...files), fc.array(change, { minLength: 1, maxLength: 8 })).map(([bytes, changes]) => changes.reduce(apply, bytes));

/** Text that breaks lines, terminals, names and programs. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    "__proto__",
    "constructor",
    "toString",
    "..",
    "/",
    "../../etc/passwd",
    "a\nb",
    "\u001b[2J",
    "\u202e",
    "\0",
    "\ud800",
    "$&",
    "[object Object]",
  ),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.nat({ max: 100_000 }).map((length) => "x".repeat(length)),
);

const nested = (levels: number, value: unknown): unknown => (levels === 0 ? value : nested(levels - 1, levels % 2 === 0 ? [value] : { a: value }));

/** A value that stands where another belongs. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, [], {}, [[]], { toString: 1, valueOf: null, length: 1e9 }, { __proto__: 1 }),
  fc.constantFrom(0, -0, -1, 1, 2, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53, 1e308, -1e308, 5e-324),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  hostileText,
  fc.nat({ max: 700 }).map((levels) => nested(levels, 1)),
  fc.nat({ max: 5000 }).map((length) => new Array<number>(length).fill(1)),
  fc.nat({ max: 5000 }).map((length) => Array.from({ length }, () => ({}))),
  fc.nat({ max: 5000 }).map((length) => Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, {}]))),
  fc.jsonValue(),
);

/** How many values a JSON value has in it, itself included. */
const count = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Object.values(value).reduce((sum: number, part: unknown) => sum + count(part), 0) : 1;

/** A value with what stands at its `n`-th place, counted in depth, made by `make`; undefined takes it out. */
const replaced = (value: unknown, n: number, make: (old: unknown) => unknown): unknown => {
  if (n === 0) return make(value);
  if (typeof value !== "object" || value === null) return value;
  let left = n - 1;
  const entries = Object.entries(value).flatMap(([key, part]): readonly (readonly [string, unknown])[] => {
    const size = count(part);
    const inside = left >= 0 && left < size;
    const next = inside ? replaced(part, left, make) : part;
    left -= size;
    return inside && next === undefined ? [] : [[key, next]];
  });
  return Array.isArray(value) ? entries.map(([, part]) => part) : Object.fromEntries(entries);
};

/** The text of JSON like `value`, in which some values are others, are missing, or stand where others stood. */
export const hostileJson = (...values: readonly unknown[]): fc.Arbitrary<string> => {
  const edit = fc.record({ at: place, from: place, how: fc.constantFrom("replace", "replace", "remove", "move"), by: hostileValue });
  return fc.tuple(fc.constantFrom(...values), fc.array(edit, { minLength: 1, maxLength: 4 })).map(([value, edits]) => {
    let edited: unknown = value;
    for (const { at, from, how, by } of edits) {
      const size = count(edited);
      let moved: unknown;
      if (how === "move") replaced(edited, Math.floor(from * (size - 1)), (old) => (moved = old));
      edited = replaced(edited, Math.floor(at * (size - 0.001)), () => (how === "replace" ? by : moved));
    }
    return JSON.stringify(edited) ?? "";
  });
};
