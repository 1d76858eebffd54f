/**
 * Command-line flags from a table: one entry says how a flag is written, what it takes, what it does, and what it is without being given.
 *
 * ```ts
 * const table = { steps: optional(natural(1), "N", "steps a task", "the method's"), "label-space": flag(oneOf("task", "union"), "S", "…", "task") };
 * parseFlags(table, ["--steps", "200"]): Either<Failure, { steps: number | undefined, "label-space": "task" | "union" }>
 * ```
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { didYouMean } from "../formats/suggest.ts";

/** One flag: its decoder (from the text after it), a word for that text, and what it does. */
export interface Flag<A> {
  readonly type: t.Decoder<unknown, A>;
  readonly hint: string;
  readonly help: string;
  /** What is said where a list with commas is given to a flag that takes one value. */
  readonly many?: string;
  /** What it is where it is not given, and how help says so; a flag without it must be given. */
  readonly otherwise?: { readonly value: A; readonly said: string };
}

/** Flags by name, without their dashes. */
export type Table = Readonly<Record<string, Flag<unknown>>>;

/** What a table decodes to. */
export type Values<T extends Table> = { readonly [K in keyof T]: T[K] extends Flag<infer A> ? A : never };

/** A flag with a text after it; one without a default must be given. */
export const flag = <A>(type: t.Decoder<unknown, A>, hint: string, help: string, fallback?: NoInfer<A>): Flag<A> => ({
  type,
  hint,
  help,
  ...(fallback === undefined ? {} : { otherwise: { value: fallback, said: [fallback].flat().join(",") } }),
});

/** A flag that need not be given; `said` is what happens then, in words for its help. */
export const optional = <A>(type: t.Decoder<unknown, A>, hint: string, help: string, said = ""): Flag<A | undefined> => ({
  type,
  hint,
  help,
  otherwise: { value: undefined, said },
});

const decoder = <A>(name: string, validate: t.Validate<unknown, A>): t.Decoder<unknown, A> =>
  new t.Type<A, A, unknown>(name, (_): _ is A => true, validate, t.identity);

/** A flag without a text after it: whether it is given. */
export const toggle = (help: string): Flag<boolean> => ({
  type: decoder("nothing", (u, c) => (u === "" ? t.success(true) : t.failure(u, c))),
  hint: "",
  help,
  otherwise: { value: false, said: "" },
});

/** Text that `decode` understands; the name finishes the sentence "it should be …". */
const text = <A>(name: string, decode: (s: string) => A | undefined): t.Decoder<unknown, A> =>
  decoder(name, (u, c) => {
    const value = typeof u === "string" ? decode(u) : undefined;
    return value === undefined ? t.failure(u, c) : t.success(value);
  });

/** Any text that is not empty. */
export const some = text("text", (s) => (s === "" ? undefined : s));

/** Numbers as people write them: no hexadecimal, no empty text. */
const numberOf = (s: string): number | undefined => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(s) && Number.isFinite(Number(s)) ? Number(s) : undefined);

/** A whole number of `least` to `most`. */
export const whole = (least: number, most = 2 ** 31 - 1): t.Decoder<unknown, number> =>
  text(`a whole number from ${least} to ${most}`, (s) => {
    const n = numberOf(s);
    return n !== undefined && Number.isInteger(n) && n >= least && n <= most ? n : undefined;
  });

/** A number above 0, of at most `most`. */
export const positive = (most: number): t.Decoder<unknown, number> =>
  text(`a number above 0 and at most ${most}`, (s) => {
    const n = numberOf(s);
    return n !== undefined && n > 0 && n <= most ? n : undefined;
  });

/** A number of `least` to `most`. */
export const between = (least: number, most: number): t.Decoder<unknown, number> =>
  text(`a number from ${least} to ${most}`, (s) => {
    const n = numberOf(s);
    return n !== undefined && n >= least && n <= most ? n : undefined;
  });

/** One of several parts, such as the second of eight. */
export const part = text("a part and how many there are, as 2/8", (s) => {
  const [, nth, of] = /^(\d{1,9})\/(\d{1,9})$/.exec(s) ?? [];
  const [n, all] = [Number(nth), Number(of)];
  return n >= 1 && n <= all ? { nth: n, of: all } : undefined;
});

/** The columns of pictures and of classes: `image=NAME`, `label=NAME` or both. */
export const columns = text("image=NAME, label=NAME or both, with a comma between them", (s) => {
  const pairs = s.split(",").map((pair) => /^(image|label)=(.+)$/.exec(pair.trim()));
  const names = pairs.flatMap((pair) => (pair === null ? [] : [[pair[1], pair[2]] as const]));
  const known = new Map(names);
  return names.length === pairs.length && known.size === names.length ? { image: known.get("image"), label: known.get("label") } : undefined;
});

/** One of some words. */
export const oneOf = <A extends string>(...words: readonly A[]): t.Decoder<unknown, A> =>
  t.keyof(Object.fromEntries(words.map((word) => [word, null])) as Readonly<Record<A, null>>, `one of ${words.join(", ")}`);

/** What reads a list; it knows what reads an item. */
interface ListDecoder<A> extends t.Decoder<unknown, readonly A[]> {
  readonly item: t.Decoder<unknown, A>;
}

const partsOf = (s: string): readonly string[] => s.split(",").map((part) => part.trim());

/** Different items, separated by commas. */
export const list = <A>(item: t.Decoder<unknown, A>, distinct = false): ListDecoder<A> =>
  Object.assign(
    text<readonly A[]>(`a list with commas${distinct ? " in which nothing comes twice" : ""}, each item ${item.name}`, (s) => {
      const items = partsOf(s).map((part) => item.decode(part));
      const good = items.flatMap((i) => (E.isRight(i) ? [i.right] : []));
      return good.length < items.length || (distinct && new Set(good).size < good.length) ? undefined : good;
    }),
    { item },
  );

/** What is close to a text that a decoder of words, or of lists of words, has refused: a question, or nothing. */
export const meantFor = (type: { readonly name: string }, given: string): string => {
  if ("item" in type) {
    const { item } = type as ListDecoder<unknown>;
    const wrong = partsOf(given).find((part) => E.isLeft(item.decode(part)));
    return wrong === undefined ? "" : meantFor(item, wrong);
  }
  return type instanceof t.KeyofType ? didYouMean(given, Object.keys(type.keys as object)) : "";
};

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** Arguments as they stand: the texts after the flags, and what stands without dashes. */
export interface Arguments {
  readonly texts: ReadonlyMap<string, string>;
  readonly operands: readonly string[];
}

/**
 * Tells flags from what stands without dashes: `--name text` or `--name=text`. A bare `--` is passed over: some task runners hand theirs on. Fails with
 * `BadOption`, which names the first flag that is unknown, comes twice or lacks its text.
 */
export const split = (table: Table, args: readonly string[]): E.Either<Failure, Arguments> => {
  const texts = new Map<string, string>();
  const operands: string[] = [];
  const known = Object.keys(table).map((name) => `--${name}`);
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") continue;
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (name === undefined) {
      if (/^-./.test(args[i])) return bad(args[i], `is no flag${didYouMean(`-${args[i]}`, known, "; --help lists them")}`);
      operands.push(args[i]);
      continue;
    }
    if (!Object.hasOwn(table, name)) return bad(`--${name}`, `there is no such flag${didYouMean(`--${name}`, known, "; --help lists them")}`);
    if (texts.has(name)) return bad(`--${name}`, "is given twice");
    const value = inline ?? (table[name].hint === "" ? "" : args[++i]);
    if (value === undefined || (inline === undefined && value.startsWith("--"))) return bad(`--${name}`, "needs a value after it");
    texts.set(name, value);
  }
  return E.right({ texts, operands });
};

/** The values of texts by a table. Fails with `BadOption`, which names the first flag that is missing or wrong. */
export const decode = <T extends Table>(table: T, texts: Arguments["texts"]): E.Either<Failure, Values<T>> => {
  const values: Record<string, unknown> = {};
  for (const [name, { type, otherwise, many }] of Object.entries(table)) {
    const given = texts.get(name);
    if (given === undefined) {
      if (otherwise === undefined) return bad(`--${name}`, "is missing; --help says what it takes");
      values[name] = otherwise.value;
      continue;
    }
    const decoded = type.decode(given);
    if (E.isLeft(decoded)) {
      const hint = many !== undefined && given.includes(",") ? `; ${many}` : meantFor(type, given);
      return bad(`--${name}`, `should be ${type.name}, not ${JSON.stringify(given)}${hint}`);
    }
    values[name] = decoded.right;
  }
  return E.right(values as Values<T>);
};

/** Refuses what stands without dashes. */
export const flagsAlone = ({ operands: [stray] }: Arguments): E.Either<Failure, void> =>
  stray === undefined ? E.right(undefined) : bad(stray, "is no flag; --help lists them");

/** The values of arguments that are flags alone. Fails with `BadOption`. */
export const parseFlags = <T extends Table>(table: T, args: readonly string[]): E.Either<Failure, Values<T>> =>
  pipe(
    split(table, args),
    E.chainFirst(flagsAlone),
    E.chain(({ texts }) => decode(table, texts)),
  );
