/** How METEOR lays the words of a prediction beside those of a reference. */
import { stemmer } from "stemmer";

/** What was found of an alignment of two texts: pairs of equal words, pairs of equal stems, and runs of pairs that are adjacent in both. */
export interface Alignment {
  readonly exact: number;
  readonly stems: number;
  readonly chunks: number;
}

/** A beginning of a prediction, aligned: for each of its words the position in the reference, or −1. */
interface Partial {
  readonly to: readonly number[];
  readonly pairs: number;
  readonly chunks: number;
  /** The sum over pairs of how far apart their positions are. */
  readonly distance: number;
}

/** So many beginnings are followed; more are needed by texts alone in which many words come many times. */
const beam = 40;

const better = (a: Partial, b: Partial): number => b.pairs - a.pairs || a.chunks - b.chunks || a.distance - b.distance;

const extend = (partial: Partial, j: number): Partial => {
  const { to, pairs, chunks, distance } = partial;
  if (j < 0) return { ...partial, to: [...to, j] };
  const goesOn = to.length > 0 && to[to.length - 1] >= 0 && to[to.length - 1] === j - 1;
  return { to: [...to, j], pairs: pairs + 1, chunks: chunks + (goesOn ? 0 : 1), distance: distance + Math.abs(to.length - j) };
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
  let partials: readonly Partial[] = [{ to: [], pairs: 0, chunks: 0, distance: 0 }];
  for (const stem of stems) {
    const places = there.get(stem) ?? [];
    // Words stay alone only where there are too many of a stem.
    const choices = own.get(stem)!.length > places.length ? [...places, -1] : places;
    partials = partials
      .flatMap((partial) => choices.filter((j) => j < 0 || !partial.to.includes(j)).map((j) => extend(partial, j)))
      .sort(better)
      .slice(0, beam);
  }
  const { to, pairs, chunks } = partials[0];
  const exact = to.filter((j, i) => j >= 0 && wanted[j] === said[i]).length;
  return { exact, stems: pairs - exact, chunks };
};
