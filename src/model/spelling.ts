/** The names that parameters and layers have in files of other programs and versions, and here. */
import type { Architecture } from "./architecture.ts";

/** The names that files may have for something that is called `own` here, its own first. */
export const spellings = ({ prefixes = {} }: Pick<Architecture, "prefixes">, own: string): readonly string[] => [
  ...new Set([own, ...Object.entries(prefixes).flatMap(([theirs, ours]) => (own.startsWith(ours) ? [theirs + own.slice(ours.length)] : []))]),
];
