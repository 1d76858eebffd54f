/** The classes of a folder under the names of a protocol. */
import * as E from "fp-ts/lib/Either.js";
import type { ProtocolNames } from "./protocols.ts";

/** What spellings of one name have in common: letters and digits, whatever their case and what stands between them. */
const keyOf = (name: string): string =>
  name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");

/** The place in a list of each name of a folder; undefined where one is not there. */
const placesIn = (list: readonly string[], folder: readonly string[]): readonly (number | undefined)[] => {
  const places = new Map(list.map((name, i) => [keyOf(name), i] as const));
  return folder.map((name) => places.get(keyOf(name)));
};

/**
 * What a protocol calls the classes of a folder, in the folder's order: one of the protocol's lists has to have all of them, each once. On the left, those that
 * the nearest of the lists has not.
 */
export const namesFor = (folder: readonly string[], { names, alsoKnown }: ProtocolNames): E.Either<readonly string[], readonly string[]> => {
  const found = [names, ...alsoKnown].map((list) => placesIn(list, folder));
  const all = found.find((places) => places.every((place) => place !== undefined) && new Set(places).size === names.length);
  if (all !== undefined) return E.right(all.map((place) => names[place!]));
  const unknown = found.map((places) => folder.filter((_, i) => places[i] === undefined));
  return E.left(unknown.reduce((a, b) => (b.length < a.length ? b : a)));
};
