/**
 * What options of methods take: io-ts codecs whose names finish the sentence "it should be …". `is` says what a program may give, `decode` what may come from
 * outside; they differ where layers and towers are named, which an architecture of one's own may call otherwise.
 */
import * as t from "io-ts";
import { architectures } from "../model/model.ts";
import { finite } from "../report/codec.ts";

export { finite };

const checked = <A>(name: string, is: t.Is<A>, outside: t.Is<A> = is): t.Type<A> =>
  new t.Type<A>(name, is, (u, c) => (outside(u) ? t.success(u) : t.failure(u, c)), t.identity);

const number = (name: string, test: (x: number) => boolean): t.Type<number> => checked(name, (u): u is number => finite.is(u) && test(u));

/** A whole number in a range; the name says which. */
export const whole = (name: string, from: number, to = Number.MAX_SAFE_INTEGER): t.Type<number> =>
  number(name, (x) => Number.isInteger(x) && x >= from && x <= to);

/** A whole number of at least 1. */
export const count = whole("a whole number of at least 1", 1);
/** A whole number of at least 2. */
export const several = whole("a whole number of at least 2", 2);
/** A whole number from 1 to `most`. */
export const upTo = (most: number): t.Type<number> => whole(`a whole number from 1 to ${most}`, 1, most);
/** The rank of an adapter, or the size of a pool of experts. */
export const rank = upTo(4096);
/** Images in a batch. */
export const batch = upTo(65_536);
/** The largest factor that a device is given, and one over the least: f32 holds their squares and inverses, and what they scale. */
const billion = 1e9;
/** A factor on the device, or a divisor. */
export const positive = number("a number from 1e-9 to 1e9", (x) => x >= 1 / billion && x <= billion);
/** A weight on the device, or none. */
export const nonNegative = number("a number from 0 to 1e9", (x) => x >= 0 && x <= billion);
/** A number above 0 and at most 1. */
export const share = number("a number above 0 and at most 1", (x) => x > 0 && x <= 1);
/** A number of at least 0 and below 1. */
export const below1 = number("a number of at least 0 and below 1", (x) => x >= 0 && x < 1);
/** True or false. */
export const truth = checked("true or false", t.boolean.is);

/** One of some words. */
export const oneOf = <A extends string>(...words: readonly A[]): t.Type<A> =>
  t.keyof(Object.fromEntries(words.map((word) => [word, null])) as Readonly<Record<A, null>>, `one of ${words.join(", ")}`);

const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === "object" && u !== null && !Array.isArray(u);

/** Whether an object has some of the given fields and no others. */
const hasSome = (u: unknown, types: Readonly<Record<string, t.Type<any>>>): boolean =>
  isRecord(u) && Object.entries(u).every(([name, value]) => Object.hasOwn(types, name) && types[name].is(value));

const someOfName = (types: Readonly<Record<string, t.Type<any>>>): string =>
  `JSON with some of ${Object.entries(types)
    .map(([name, field]) => `"${name}" (${field.name})`)
    .join(", ")}`;

/** An object with some of the given fields and no others. */
export const someOf = <A extends object>(fields: { readonly [K in keyof A]-?: t.Type<NonNullable<A[K]>> }): t.Type<A> =>
  checked(someOfName(fields), (u): u is A => hasSome(u, fields));

/** A learning rate; a program may give 0, which trains nothing. */
export const rate = checked(
  "a number above 0",
  (u): u is number => finite.is(u) && u >= 0,
  (u): u is number => finite.is(u) && u > 0,
);

/** One value for all tasks, or one for each. */
export const perTask = <A>(item: t.Type<A>): t.Type<A | readonly A[]> => {
  type PerTask = A | readonly A[];
  const oneOrMany =
    (test: (u: unknown) => boolean) =>
    (u: unknown): u is PerTask =>
      test(u) || (Array.isArray(u) && u.length > 0 && u.every(test));
  return checked(
    `${item.name}, or one for each task joined by +`,
    oneOrMany(item.is),
    oneOrMany((u) => item.decode(u)._tag === "Right"),
  );
};

const areNaturals = (u: unknown): u is readonly number[] => Array.isArray(u) && u.every(whole("a whole number of at least 0", 0).is);

/** Whole numbers of at least 0, or none. One alone is a list of one where it comes from outside. */
export const naturals = new t.Type<readonly number[]>(
  "whole numbers of at least 0 joined by +, or []",
  areNaturals,
  (u, c) => {
    const list: unknown = [u].flat();
    return areNaturals(list) ? t.success(list) : t.failure(u, c);
  },
  t.identity,
);

/** A number of steps, or of walks over the images of a task. */
export const length = checked('a number of steps or {"epochs":N}, at most a billion', (u): u is number | { readonly epochs: number } => {
  const epochs = typeof u === "object" ? (u as { readonly epochs?: unknown } | null)?.epochs : undefined;
  return upTo(billion).is(u) || positive.is(epochs);
});

/** The decay of Adam's two means. */
export const betas = checked(
  "two numbers of at least 0 and below 1 joined by +",
  (u): u is readonly [number, number] => Array.isArray(u) && u.length === 2 && u.every(below1.is),
);

const distinct = (words: readonly string[]): readonly string[] => [...new Set(words)];
/** The kinds of layers of the architectures that come with Cambium. */
export const kindsOfLayers = distinct(architectures.flatMap(({ kinds }) => kinds));
/** The names of their towers. */
export const namesOfTowers = distinct(architectures.flatMap((a) => Object.keys(a.towers)));

/** Different names, or all; `known` are those of the architectures that come with Cambium. One name alone is a list of one where it comes from outside. */
const names = (known: readonly string[]): t.Type<"all" | readonly string[]> => {
  type Names = "all" | readonly string[];
  const listed = (u: unknown, test: (name: unknown) => boolean): u is readonly string[] => Array.isArray(u) && u.every(test) && new Set(u).size === u.length;
  return new t.Type<Names>(
    `a list joined by +, each other item one of ${known.join(", ")}, or all`,
    (u): u is Names => u === "all" || listed(u, t.string.is),
    (u, c) => {
      const list = u === "all" ? u : [u].flat();
      return list === "all" || (list.length > 0 && listed(list, (name) => known.includes(name as string))) ? t.success(list as Names) : t.failure(u, c);
    },
    t.identity,
  );
};

/** Kinds of layers. */
export const modules = names(kindsOfLayers);
/** Towers. */
export const towers = names(namesOfTowers);

/** Values by tower. */
export const byTower = <A>(item: t.Type<A>): t.Type<Readonly<Record<string, A>>> => {
  type ByTower = Readonly<Record<string, A>>;
  const known = Object.fromEntries(namesOfTowers.map((tower) => [tower, item]));
  return checked(
    someOfName(known),
    (u): u is ByTower => isRecord(u) && Object.values(u).every(item.is),
    (u): u is ByTower => hasSome(u, known),
  );
};
