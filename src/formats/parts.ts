/** Files that are parts of one: `NAME-00000-of-00002.SUFFIX`, counted from 0 or from 1. */

const part = /^(.*-)(\d+)(-of-)(\d+)(.*)$/;

/** The parts that are missing among paths where another part of the same file is there. */
export const missingParts = (paths: readonly string[]): readonly string[] => {
  const there = new Set(paths);
  const wholes = new Map<string, readonly string[]>();
  for (const path of paths) {
    const [, before, digits, of, total, after] = part.exec(path) ?? [];
    // The hub's older names end with a word that differs from part to part.
    if (before === undefined || !/^\.\w+$/.test(after)) continue;
    const count = Number(total);
    const named = (n: number): string => `${before}${String(n).padStart(digits.length, "0")}${of}${total}${after}`;
    const first = there.has(named(0)) ? 0 : 1;
    if (count <= 100_000)
      wholes.set(
        `${before}${of}${total}${after}`,
        Array.from({ length: count }, (_, i) => named(i + first)),
      );
  }
  return [...wholes.values()].flat().filter((path) => !there.has(path));
};
