/** Values that nobody may change. */
import * as assert from "uvu/assert";

/** Freezes plain objects and arrays all the way down; arrays of numbers and maps cannot be frozen and are remembered instead. */
export const frozen = <A>(root: A): { readonly value: A; readonly unchanged: () => void } => {
  const seen = new Set<unknown>();
  const kept: (() => void)[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      const bytes = (): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);
      const before = Buffer.from(bytes());
      kept.push(() => assert.ok(before.equals(bytes()), `${path} was changed`));
    } else if (value instanceof Map) {
      const before = [...value];
      kept.push(() => assert.ok(before.length === value.size && before.every(([k, v]) => value.get(k) === v), `${path} was changed`));
      value.forEach((v, k) => walk(v, `${path}.${String(k)}`));
    } else {
      Object.freeze(value);
      Object.entries(value).forEach(([k, v]) => walk(v, `${path}.${k}`));
    }
  };
  walk(root, "input");
  return { value: root, unchanged: () => kept.forEach((f) => f()) };
};
