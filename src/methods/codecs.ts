/** What options of methods take: io-ts codecs whose names finish the sentence "it should be …". */
import * as t from "io-ts";
import type { LayerChoice } from "../model/network.ts";
import { architectures } from "../model/model.ts";
import { finite } from "../report/codec.ts";

export { finite, nonNegative } from "../report/codec.ts";

/** A codec that only checks. */
const checked = <A>(name: string, is: t.Is<A>): t.Type<A> => new t.Type<A>(name, is, (u, c) => (is(u) ? t.success(u) : t.failure(u, c)), t.identity);

const number = (name: string, test: (x: number) => boolean): t.Type<number> => checked(name, (u): u is number => finite.is(u) && test(u));

/** A whole number of at least 1. */
export const count = number("a whole number of at least 1", (x) => Number.isInteger(x) && x >= 1);
/** A number above 0. */
export const positive = number("a number above 0", (x) => x > 0);
/** A number above 0 and at most 1. */
export const share = number("a number above 0 and at most 1", (x) => x > 0 && x <= 1);
/** A number of at least 0 and below 1. */
export const below1 = number("a number of at least 0 and below 1", (x) => x >= 0 && x < 1);
/** True or false. */
export const truth = checked("true or false", t.boolean.is);

/** One of some words. */
export const oneOf = <A extends string>(...words: readonly A[]): t.Type<A> => checked(`one of ${words.join(", ")}`, (u): u is A => words.includes(u as A));

/** Different items joined by + where they are written as text; one item alone is a list of one. */
export const listOf = <A>(item: t.Type<A>): t.Decoder<unknown, readonly A[]> => {
  const list = checked(
    `a list joined by +, each other item ${item.name}`,
    (u): u is readonly A[] => Array.isArray(u) && u.length > 0 && u.every(item.is) && new Set(u).size === u.length,
  );
  return { name: list.name, decode: (u) => list.decode([u].flat()), validate: (u, c) => list.validate([u].flat(), c) };
};

/** An object with some of the given fields and no others. */
export const someOf = <A extends object>(fields: { readonly [K in keyof A]-?: t.Type<NonNullable<A[K]>> }): t.Type<A> => {
  const types = new Map<string, t.Type<unknown>>(Object.entries(fields));
  return checked(
    `JSON with some of ${[...types].map(([name, field]) => `"${name}" (${field.name})`).join(", ")}`,
    (u): u is A => typeof u === "object" && u !== null && !Array.isArray(u) && Object.entries(u).every(([name, value]) => types.get(name)?.is(value) ?? false),
  );
};

/** One value for all tasks, or one for each. */
export const perTask = <A>(item: t.Type<A>): t.Type<A | readonly A[]> =>
  checked(`${item.name}, or one for each task joined by +`, (u): u is A | readonly A[] => item.is(u) || (Array.isArray(u) && u.length > 0 && u.every(item.is)));

/** A number of steps, or of walks over the images of a task. */
export const length = checked(
  'a number of steps or {"epochs":N}',
  (u): u is number | { readonly epochs: number } => count.is(u) || (typeof u === "object" && positive.is((u as { readonly epochs?: unknown } | null)?.epochs)),
);

/** The decay of Adam's two means. */
export const betas = checked(
  "two numbers of at least 0 and below 1 joined by +",
  (u): u is readonly [number, number] => Array.isArray(u) && u.length === 2 && u.every(below1.is),
);

/** Everything, or a list. */
const allOr = (list: t.Decoder<unknown, readonly string[]>): t.Decoder<unknown, "all" | readonly string[]> => ({
  name: `${list.name}, or all`,
  decode: (u) => (u === "all" ? t.success(u) : list.decode(u)),
  validate: (u, c) => (u === "all" ? t.success(u) : list.validate(u, c)),
});

const distinct = (words: readonly string[]): readonly string[] => [...new Set(words)];

/** Kinds of layers, of the architectures that come with Cambium. */
export const modules: t.Decoder<unknown, LayerChoice["modules"]> = allOr(listOf(oneOf(...distinct(architectures.flatMap(({ kinds }) => kinds)))));
/** Towers, of the architectures that come with Cambium. */
export const towers: t.Decoder<unknown, LayerChoice["towers"]> = allOr(listOf(oneOf(...distinct(architectures.flatMap((a) => Object.keys(a.towers))))));
