/** How METEOR lays the words of a prediction beside those of a reference. */
import { stemmer } from "stemmer";

/** What was found of an alignment of two texts: pairs of equal words, pairs of equal stems, and runs of pairs that are adjacent in both. */
export interface Alignment {
  readonly exact: number;
  readonly stems: number;
  readonly chunks: number;
}

/** What is counted of a beginning of a prediction that is aligned. */
interface Counts {
  readonly pairs: number;
  readonly chunks: number;
  /** The sum over pairs of how far apart their positions are. */
  readonly distance: number;
}

/** A beginning of a prediction, aligned: for each of its words the position in the reference, or −1. */
interface Partial extends Counts {
  readonly to: readonly number[];
  /** 1 at the positions of the reference that are paired. */
  readonly taken: Uint8Array;
}

/** A beginning, and the position of one word more. */
interface Extended extends Counts {
  readonly of: Partial;
  readonly j: number;
}

/** So many beginnings are followed; more are needed by texts alone in which many words come many times. */
const beam = 40;

const better = (a: Counts, b: Counts): number => b.pairs - a.pairs || a.chunks - b.chunks || a.distance - b.distance;

const extend = (of: Partial, j: number): Extended => {
  const { to, pairs, chunks, distance } = of;
  if (j < 0) return { of, j, pairs, chunks, distance };
  const goesOn = to.length > 0 && to[to.length - 1] >= 0 && to[to.length - 1] === j - 1;
  return { of, j, pairs: pairs + 1, chunks: chunks + (goesOn ? 0 : 1), distance: distance + Math.abs(to.length - j) };
};

/** Puts one more among the best, which are sorted; of equal ones the first found stands first. */
const keep = (best: Extended[], one: Extended): void => {
  if (best.length === beam && better(one, best[beam - 1]) >= 0) return;
  let at = best.length;
  while (at > 0 && better(one, best[at - 1]) < 0) at--;
  best.splice(at, 0, one);
  if (best.length > beam) best.pop();
};

const asPartial = ({ of, j, pairs, chunks, distance }: Extended): Partial => {
  const taken = of.taken.slice();
  if (j >= 0) taken[j] = 1;
  return { to: [...of.to, j], taken, pairs, chunks, distance };
};

/** The best alignments of one word more. Only these are written out, so that texts that repeat a word hundreds of times take no long time. */
const followed = (partials: readonly Partial[], choices: readonly number[]): readonly Partial[] => {
  const best: Extended[] = [];
  for (const partial of partials) for (const j of choices) if (j < 0 || partial.taken[j] === 0) keep(best, extend(partial, j));
  return best.map(asPartial);
};

/** The positions of each word. */
const positions = (words: readonly string[]): ReadonlyMap<string, readonly number[]> => {
  const found = new Map<string, number[]>();
  words.forEach((word, i) => found.set(word, [...(found.get(word) ?? []), i]));
  return found;
};

/** Aligns the words that are equal or have the same stem (Porter's): as many as can be, in the fewest chunks, over the shortest distances. */
export const align = (said: readonly string[], wanted: readonly string[]): Alignment => {
  const stems = said.map((word) => stemmer(word));
  const [own, there] = [positions(stems), positions(wanted.map((word) => stemmer(word)))];
  let partials: readonly Partial[] = [{ to: [], taken: new Uint8Array(wanted.length), pairs: 0, chunks: 0, distance: 0 }];
  for (const stem of stems) {
    const places = there.get(stem) ?? [];
    // Words stay alone only where there are too many of a stem.
    const choices = own.get(stem)!.length > places.length ? [...places, -1] : places;
    partials = followed(partials, choices);
  }
  const { to, pairs, chunks } = partials[0];
  const exact = to.filter((j, i) => j >= 0 && wanted[j] === said[i]).length;
  return { exact, stems: pairs - exact, chunks };
};
