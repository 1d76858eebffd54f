/** Which class folder has which name of `classnames.txt`. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { someOf } from "./leftOut.ts";

/** The classes of a dataset: their names, and the label of every folder. */
export interface Pairing {
  readonly classNames: readonly string[];
  readonly labels: ReadonlyMap<string, number>;
  /** What is worth knowing of how they were paired. */
  readonly notes: readonly string[];
}

/** What two spellings of one name have in common on every disk. */
export const sameOnDisks = (name: string): string => name.normalize("NFC");

/** What names have in common that differ by capitals, or have `_` or `-` where the other has a blank. */
const alike = (name: string): string =>
  sameOnDisks(name)
    .toLowerCase()
    .replace(/[\s_-]+/g, " ");

/** The folders by the names that equal them under `key`; undefined where one has no such name, or two have the same. */
const byName = (folders: readonly string[], names: readonly string[], key: (name: string) => string): ReadonlyMap<string, number> | undefined => {
  const lines = new Map<string, number | "several">();
  names.forEach((name, label) => lines.set(key(name), lines.has(key(name)) ? "several" : label));
  const labels = new Map<string, number>();
  for (const folder of folders) {
    const label = lines.get(key(folder));
    if (typeof label !== "number") return undefined;
    labels.set(folder, label);
  }
  return new Set(labels.values()).size === labels.size ? labels : undefined;
};

/** The names that equal others, but for capitals and `_` or `-` for a blank, with the numbers of these; undefined where one has none, or two have the same. */
export const namesAlike = (some: readonly string[], names: readonly string[]): ReadonlyMap<string, number> | undefined =>
  byName(some, names, sameOnDisks) ?? byName(some, names, alike);

const isNumber = (name: string): boolean => /^\d+$/.test(name);

/** The folders by their numbers, where they are 0 to n - 1 for n names. */
const byNumber = (folders: readonly string[], names: readonly string[]): ReadonlyMap<string, number> | undefined => {
  const numbers = new Map(folders.filter(isNumber).map((folder) => [folder, Number(folder)] as const));
  const all = numbers.size === folders.length && numbers.size === names.length;
  return all && new Set(numbers.values()).size === names.length && [...numbers.values()].every((k) => k < names.length) ? numbers : undefined;
};

/**
 * Pairs folders (sorted) with the names of `classnames.txt` at `path`: by name, else as the numbers 0 to n - 1, which count its lines. Where no folder looks
 * like any name and there are as many, the sorted folders get the names in their order, which is said. All else is a contradiction (`BadConfig`).
 */
export const pairClasses = (path: string, folders: readonly string[], names: readonly string[]): E.Either<Failure, Pairing> => {
  const named = namesAlike(folders, names);
  if (named !== undefined) return E.right({ classNames: names, labels: named, notes: [] });
  const numbered = byNumber(folders, names);
  const [first, last] = [`"${someOf(names.slice(0, 1))}"`, `"${someOf(names.slice(-1))}"`];
  if (numbered !== undefined) {
    const note = `class folders are numbers, which count the lines of classnames.txt from 0: 0 is ${first}, ${names.length - 1} is ${last}`;
    return E.right({ classNames: names, labels: numbered, notes: [note] });
  }
  const keys = new Set(names.map(alike));
  const unlike = folders.filter((folder) => !keys.has(alike(folder)));
  if (unlike.length === folders.length && folders.length === names.length && !folders.some(isNumber)) {
    const ends = `${someOf(folders.slice(0, 1))} is ${first}, ${someOf(folders.slice(-1))} is ${last}`;
    const note = `class folders are paired with classnames.txt in their order: ${ends}`;
    return E.right({ classNames: names, labels: new Map(folders.map((folder, label) => [folder, label])), notes: [note] });
  }
  const found = new Set(folders.map(alike));
  const missing = names.filter((name) => !found.has(alike(name)));
  const counts = `it names ${names.length} classes and there are ${folders.length} class folders`;
  const lists = [
    ...(unlike.length > 0 ? [`folders without a name: ${someOf(unlike)}`] : []),
    ...(missing.length > 0 ? [`names without a folder: ${someOf(missing)}`] : []),
  ];
  const why = lists.length > 0 ? lists.join("; ") : "some names or folders come twice";
  const detail = `${counts} that cannot be paired with them (${why}); call every folder as its class, or 0 to ${names.length - 1}`;
  return E.left({ _tag: "BadConfig", path, detail });
};
