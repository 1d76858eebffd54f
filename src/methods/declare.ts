/**
 * A method as it is declared: its name, its paper, one sentence on what it does, its options, and its algorithm as a function of them.
 *
 * ```ts
 * const rank = option(codec.count, 16, "Rank of every adapter.");
 * const kept = option(codec.count, ({ rank }: { readonly rank: number }) => rank / 2, "Components that are merged.");
 * const halves = declareMethod({ name: "halves", does: "merges half of the components", options: { rank, kept } }, () => stage.skip);
 * assert.deepEqual(halves({ rank: 8 }).options, { rank: 8, kept: 4 });
 * ```
 *
 * Whatever else speaks of options reads the declaration: the types of callers, `--set` and `--help`, presets, and the tables of the documents.
 */
import * as E from "fp-ts/lib/Either.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import type { EvaluateOptions } from "../stages/evaluate.ts";
import { byKind, type Course, type Method } from "../stages/learn.ts";
import { oneOf } from "./codecs.ts";
import { named, taskStage, type TaskStage } from "../stages/stage.ts";

/** The two sources of a method where they differ: its paper, and the code of its authors. */
export type Reading = "paper" | "code";

/** The words for them. */
export const readings = oneOf<Reading>("paper", "code");

/** What an option takes: a codec of io-ts, as far as it is used. Its name finishes the sentence "it should be …". */
export type Codec<A> = Pick<t.Type<A>, "name" | "is" | "decode">;

/** The value of an option that is not given, or a function of the options that are declared before it. */
type Fallback<A> = A | ((before: any) => A);

/** One option of a method. */
export interface Option<A> {
  readonly codec: Codec<A>;
  /** Its value where it is not given. */
  readonly fallback: Fallback<A>;
  /** The same for tasks that are answered in words, where it is another. */
  readonly answered?: Fallback<A>;
  /** What it is, in one sentence. */
  readonly meaning: string;
  /** Its value by the paper and by the authors' code, where these differ. */
  readonly readings?: Readonly<Record<Reading, A>>;
  /** The same for tasks that are answered in words, where it is another. */
  readonly answeredReadings?: Readonly<Record<Reading, A>>;
}

/** Options by name. */
export type Options = Readonly<Record<string, Option<any>>>;

/** The values of all options. */
export type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer A> ? A : never };

/** What a caller gives: some of the options; and a reading, which sets all in which paper and code differ and that are not given. */
export type GivenOptions<O extends Options> = Partial<Values<O>> & (keyof O extends never ? unknown : { readonly reading?: Reading });

/** What a method says of itself. */
export interface Declaration<N extends string = string, O extends Options = Options> {
  /** The name that commands and results call it by. */
  readonly name: N;
  /** The name as people write it, for tables and pages. Default: `name`. */
  readonly title?: string;
  /** The arXiv number of its paper. */
  readonly paper?: string;
  /** What it does, in one sentence without a full stop. */
  readonly does: string;
  /** What a model or its data must have. */
  readonly needs?: string;
  /** Why it learns tasks of classes alone, and none that are answered in words; a sentence without a full stop. Default: it learns both. */
  readonly classesAlone?: string;
  readonly options: O;
}

/** A method with its options left open; those that are not given have their defaults. `M` names the outputs that it needs of the architecture. */
export interface Declared<N extends string = string, O extends Options = Options, M extends string = any> {
  (given?: GivenOptions<O>): Method<M>;
  readonly declaration: Declaration<N, O>;
}

/** The options that a declared method takes. */
export type OptionsOf<D> = D extends Declared<any, infer O> ? GivenOptions<O> : never;

/** An option: what it takes, its default, what it is in one sentence, and what it is by the paper and by the code where these differ. */
export const option = <A>(codec: Codec<A>, fallback: Fallback<NoInfer<A>>, meaning: string, readings?: Readonly<Record<Reading, NoInfer<A>>>): Option<A> => ({
  codec,
  fallback,
  meaning,
  ...(readings === undefined ? {} : { readings }),
});

/** How a method is scored after every task. Commands have flags of their own for it. */
export const scoring = (fallback?: EvaluateOptions): Option<EvaluateOptions | undefined> => ({
  codec: t.any,
  fallback,
  meaning: "How it is scored after every task.",
});

/** The same option, of which something else is said. */
export const withMeaning = <A>(of: Option<A>, meaning: string): Option<A> => ({ ...of, meaning });

/** Options with other defaults. */
export const withDefaults = <O extends Options>(options: O, defaults: GivenOptions<O>): O => {
  const changed = Object.entries(defaults).map(([name, fallback]) => [name, { ...options[name], fallback }]);
  return { ...options, ...Object.fromEntries(changed) };
};

/** Options with other defaults, and other readings, for tasks that are answered in words. */
export const forAnswers = <O extends Options>(
  options: O,
  defaults: { readonly [K in keyof O]?: Fallback<Values<O>[K]> },
  readings: { readonly [K in keyof O]?: Readonly<Record<Reading, Values<O>[K]>> } = {},
): O => {
  const answering = ([name, option]: readonly [string, Option<any>]) => {
    const [answered, answeredReadings] = [defaults[name], readings[name]];
    return [name, { ...option, ...(answered === undefined ? {} : { answered }), ...(answeredReadings === undefined ? {} : { answeredReadings }) }] as const;
  };
  return Object.fromEntries(Object.entries(options).map(answering)) as unknown as O;
};

/** The names of a method's options, but for how it is scored. */
export const optionNames = ({ options }: Declaration): readonly string[] => Object.keys(options).filter((name) => name !== "evaluate");

/** What a declared method is applied to. */
export type Kind = "classified" | "answered";

/** All values: those that are given, and defaults. What is left open, such as how to score, comes last where it is given. */
const filledIn = <O extends Options>({ options }: Pick<Declaration<string, O>, "options">, given: GivenOptions<O>, kind: Kind): Values<O> => {
  const values: Record<string, unknown> = {};
  const { reading: as }: { readonly reading?: Reading } = given;
  const read: Readonly<Record<string, unknown>> = as === undefined ? {} : reading({ options }, as, kind);
  for (const name of [...Object.keys(options).filter((n) => n !== "evaluate"), "evaluate"]) {
    if (options[name] === undefined) continue;
    const fallback = (kind === "answered" ? options[name].answered : undefined) ?? options[name].fallback;
    const value: unknown = given[name] ?? read[name] ?? (typeof fallback === "function" ? fallback(values) : fallback);
    if (value !== undefined) values[name] = value;
  }
  return values as Values<O>;
};

/** What a value that is given should be, where it is something else. */
const wrongOption = ({ name, options }: Declaration, given: Readonly<Record<string, unknown>>): Failure | undefined => {
  const bad = (option: string, detail: string): Failure => ({ _tag: "BadOption", option, detail });
  if (given.reading !== undefined && Object.keys(reading({ options }, "paper")).length === 0)
    return bad("reading", `the paper of ${name} and the code of its authors do not differ in its options`);
  if (given.reading !== undefined && !readings.is(given.reading)) return bad("reading", `should be ${readings.name}, not ${printed(given.reading)}`);
  const wrong = Object.keys(given).find((name) => given[name] !== undefined && options[name]?.codec.is(given[name]) === false);
  if (wrong === undefined) return undefined;
  return bad(wrong, `should be ${options[wrong].codec.name}, not ${printed(given[wrong])}`);
};

/** Whether an option has another default, or another reading, where tasks are answered in words. */
const differs = ({ options }: Declaration): boolean =>
  Object.values(options).some(({ answered, answeredReadings }) => answered !== undefined || answeredReadings !== undefined);

/** Why a method learns no tasks that are answered in words. */
const refusal = (name: string, why: string): Failure => ({
  _tag: "BadOption",
  option: "method",
  detail: `${name} learns tasks of classes alone, and these are answered in words: ${why}`,
});

/**
 * Declares a method; its algorithm is a function of the values of its options, whose defaults may be others where tasks are answered in words. A value that its
 * codec does not take makes a run fail with `BadOption`, and so do tasks that the method does not learn.
 */
export const declareMethod = <const N extends string, O extends Options, M extends string = never>(
  declaration: Declaration<N, O>,
  algorithm: (options: Values<O>) => TaskStage<Course, Course, M>,
): Declared<N, O, M> => {
  const { name, title, classesAlone } = declaration;
  const made = (given: GivenOptions<O>, kind: Kind): Method<M> => {
    const options = filledIn(declaration, given, kind);
    const wrong = wrongOption(declaration, given);
    const stage = named(name, options, wrong === undefined ? algorithm(options) : taskStage("refused", {}, () => RTE.left(wrong)));
    return title === undefined ? stage : { ...stage, title };
  };
  /** The method for tasks that are answered in words, where it is not the same. */
  const answering = (given: GivenOptions<O>): E.Either<Failure, Method<M>> | undefined => {
    if (classesAlone !== undefined) return E.left(refusal(name, classesAlone));
    return differs(declaration) ? E.right(made(given, "answered")) : undefined;
  };
  return Object.assign((given: GivenOptions<O> = {}): Method<M> => byKind(made(given, "classified"), answering(given)), { declaration });
};

/** The options that a method's paper and the code of its authors set otherwise, as one of the two has them. */
export const reading = <O extends Options>({ options }: Pick<Declaration<string, O>, "options">, as: Reading, kind: Kind = "classified"): Partial<Values<O>> =>
  Object.fromEntries(
    Object.entries(options).flatMap(([name, { readings, answeredReadings }]) => {
      const own = (kind === "answered" ? answeredReadings : undefined) ?? readings;
      return own === undefined ? [] : [[name, own[as]]];
    }),
  ) as Partial<Values<O>>;

/** Options that are given on top of others: a reading among them wins over those of the others that it sets. */
export const onTop = (declaration: Pick<Declaration, "options">, others: object, given: object): Record<string, unknown> => {
  const set = "reading" in given ? Object.keys(reading(declaration, "paper")) : [];
  return { ...Object.fromEntries(Object.entries(others).filter(([name]) => !set.includes(name))), ...given };
};

/** Reads the value of an option; fails with what it should be. */
export const decodeOption = ({ options }: Declaration, name: string, value: unknown): E.Either<string, unknown> => {
  const { codec } = options[name];
  return E.mapLeft(() => codec.name)(codec.decode(value));
};
