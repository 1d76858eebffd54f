/** Options of methods as text: `kappa=0.01,modules=q+v,steps={"epochs":10}`. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../../src/failure.ts";
import { methods, type MethodName, type MethodOptions } from "../../src/methods/table.ts";
import { allLinears, both } from "../../src/model/parameters.ts";
import { finite, nonNegative, shown } from "../../src/report/codec.ts";

/** A codec whose name finishes the sentence "it should be …". */
const kind = <A>(name: string, is: t.Is<A>): t.Type<A> => new t.Type<A>(name, is, (u, c) => (is(u) ? t.success(u) : t.failure(u, c)), t.identity);

const number = (name: string, test: (x: number) => boolean): t.Type<number> => kind(name, (u): u is number => finite.is(u) && test(u));

const count = number("a whole number of at least 1", (x) => Number.isInteger(x) && x >= 1);
const above0 = number("a number above 0", (x) => x > 0);
const share = number("a number above 0 and at most 1", (x) => x > 0 && x <= 1);
const below1 = number("a number of at least 0 and below 1", (x) => x >= 0 && x < 1);
const truth = kind("true or false", t.boolean.is);

const oneOf = <A extends string>(...words: readonly A[]): t.Type<A> => kind(`one of ${words.join(", ")}`, (u): u is A => words.includes(u as A));

/** Different items joined by +; one alone will do. */
const listOf = <A>(item: t.Type<A>): t.Decoder<unknown, readonly A[]> => {
  const list = kind(
    `a list joined by +, each other item ${item.name}`,
    (u): u is readonly A[] => Array.isArray(u) && u.length > 0 && u.every(item.is) && new Set(u).size === u.length,
  );
  return { name: list.name, decode: (u) => list.decode([u].flat()), validate: (u, c) => list.validate([u].flat(), c) };
};

/** An object with some of the given fields and no others. */
const some = <A extends object>(fields: { readonly [K in keyof A]-?: t.Type<NonNullable<A[K]>> }): t.Type<A> => {
  const known = new Map<string, t.Type<unknown>>(Object.entries(fields));
  return kind(
    `JSON with some of ${[...known].map(([name, field]) => `"${name}" (${field.name})`).join(", ")}`,
    (u): u is A => typeof u === "object" && u !== null && !Array.isArray(u) && Object.entries(u).every(([name, value]) => known.get(name)?.is(value) ?? false),
  );
};

/** One value for all tasks, or one for each. */
const perTask = <A>(item: t.Type<A>): t.Type<A | readonly A[]> =>
  kind(`${item.name}, or one for each task joined by +`, (u): u is A | readonly A[] => item.is(u) || (Array.isArray(u) && u.length > 0 && u.every(item.is)));

const length = kind(
  'a number of steps or {"epochs":N}',
  (u): u is number | { readonly epochs: number } => count.is(u) || (typeof u === "object" && above0.is((u as { readonly epochs?: unknown } | null)?.epochs)),
);

const betas = kind(
  "two numbers of at least 0 and below 1 joined by +",
  (u): u is readonly [number, number] => Array.isArray(u) && u.length === 2 && u.every(below1.is),
);

const modules = listOf(oneOf(...allLinears));
const towers = listOf(oneOf(...both));

type Named = Required<Omit<MethodOptions, "evaluate">>;

/** What every option of any method takes. */
const kinds: { readonly [K in keyof Named]: t.Decoder<unknown, Named[K]> } = {
  steps: perTask(length),
  batch: count,
  rank: count,
  lr: perTask(above0),
  headLr: perTask(above0),
  betas,
  weightDecay: nonNegative,
  modules,
  towers,
  cropScale: share,
  optimizer: oneOf("adam", "sgd"),
  alpha: above0,
  kappa: nonNegative,
  levels: count,
  dense: below1,
  scaleThreshold: truth,
  shrink: oneOf("paper", "code"),
  cycleMomentum: truth,
  energy: some({ vision: share, text: share }),
  featureEnergy: share,
  side: oneOf("input", "output"),
  counting: oneOf("reach", "below"),
  accumulate: oneOf("code-mean", "gram"),
  start: oneOf("svd", "zero"),
  depth: nonNegative,
  depthTowers: towers,
  headScale: above0,
  active: count,
  merged: count,
  dropout: below1,
  ago: nonNegative,
  agoPast: oneOf("all", "critical"),
  agoReduce: oneOf("abs-sum", "mean"),
  router: oneOf("frozen-random", "straight-through", "prob-weighted"),
  threshold: share,
  tokens: oneOf("class", "all"),
  slot: oneOf("previous", "current"),
  weights: oneOf("share", "raw", "softmax"),
  orthonormal: truth,
  prediction: some({ temperature: above0, confidence: nonNegative, mode: oneOf("soft", "hard", "off") }),
  orthogonality: nonNegative,
  penalty: oneOf("abs-sum", "square-sum"),
  regularisation: nonNegative,
  magnitude: finite,
};

/** The names of a method's options, but for how it is scored. */
export const optionNames = (method: MethodName): readonly (keyof Named)[] =>
  Object.keys(methods[method]({}).options as object).filter((name): name is keyof Named => name in kinds);

/** JSON where it is JSON, several joined by +, or a word. */
const valueOf = (text: string): unknown =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => undefined,
    ),
    E.getOrElse((): unknown => (text.includes("+") ? text.split("+").map(valueOf) : text)),
  );

const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option: "--set", detail });

/** Reads `KEY=VALUE[,KEY=VALUE…]` as options of a method; fails with `BadOption`, which lists the keys that there are, or says what a value should be. */
export const parseOptions = (method: MethodName, text: string): E.Either<Failure, MethodOptions> => {
  const known = optionNames(method);
  const options: Record<string, unknown> = {};
  // A comma inside of JSON has no KEY= behind it.
  for (const part of text.split(/,(?=\w+=)/)) {
    const [, key, value] = /^(\w+)=(.+)$/s.exec(part) ?? [];
    if (key === undefined) return bad(`${shown(part)} should be KEY=VALUE`);
    const name = known.find((k) => k === key);
    if (name === undefined) return bad(`${method} has no option ${key}; ${known.length === 0 ? "it has none" : `it has ${known.join(", ")}`}`);
    if (name in options) return bad(`${name} is given twice`);
    const decoded = kinds[name].decode(valueOf(value));
    if (E.isLeft(decoded)) return bad(`${name} should be ${kinds[name].name}, not ${shown(value)}`);
    options[name] = decoded.right;
  }
  return E.right(options);
};
