/** The names that parameters and layers have in files of other programs and versions, and here. */
import type { Architecture } from "./architecture.ts";

type Named = Pick<Architecture, "prefixes">;

/** The name that something has here which a file calls `stored`: the longest prefix that fits is exchanged. */
export const ownName = ({ prefixes = {} }: Named, stored: string): string => {
  const [theirs] = Object.keys(prefixes)
    .filter((prefix) => stored.startsWith(prefix))
    .sort((a, b) => b.length - a.length);
  return theirs === undefined ? stored : prefixes[theirs] + stored.slice(theirs.length);
};

/** The names that files may have for something that is called `own` here, its own first. */
export const spellings = ({ prefixes = {} }: Named, own: string): readonly string[] => [
  ...new Set([own, ...Object.entries(prefixes).flatMap(([theirs, ours]) => (own.startsWith(ours) ? [theirs + own.slice(ours.length)] : []))]),
];
