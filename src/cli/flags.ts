/**
 * Command-line flags from a table: one entry says how a flag is written, what it takes, and what it is without being given.
 *
 * ```ts
 * const table = { steps: flag(optional(natural(1)), "N", "steps a task"), "label-space": flag(oneOf("task", "union"), "S", "…", "task") };
 * parseFlags(table, ["--steps", "200"]): Either<Failure, { steps: number | undefined, "label-space": "task" | "union" }>
 * ```
 */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";

/** One flag: its decoder (from the text after it, or `undefined` where it is not given), a word for that text, and what it does. */
export interface Flag<A> {
  readonly type: t.Decoder<unknown, A>;
  readonly hint: string;
  readonly help: string;
}

/** Flags by name, without their dashes. */
export type Table = Readonly<Record<string, Flag<unknown>>>;

/** What a table decodes to. */
export type Values<T extends Table> = { readonly [K in keyof T]: T[K] extends Flag<infer A> ? A : never };

/** A flag with a text after it. */
export const flag = <A>(type: t.Decoder<unknown, A>, hint: string, help: string): Flag<A> => ({ type, hint, help });

/** A flag without a text after it: whether it is given. */
export const toggle = (help: string): Flag<boolean> => ({
  type: decoder("nothing", (u, c) => (u === undefined || u === "" ? t.success(u === "") : t.failure(u, c))),
  hint: "",
  help,
});

const decoder = <A>(name: string, validate: t.Validate<unknown, A>): t.Decoder<unknown, A> =>
  new t.Type<A, A, unknown>(name, (_): _ is A => true, validate, t.identity);

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

/** One of some words. */
export const oneOf = <A extends string>(...words: readonly A[]): t.Decoder<unknown, A> => text(`one of ${words.join(", ")}`, (s) => words.find((w) => w === s));

/** Different items, separated by commas. */
export const list = <A>(item: t.Decoder<unknown, A>, distinct = false): t.Decoder<unknown, readonly A[]> =>
  text<readonly A[]>(`a list with commas${distinct ? " in which nothing comes twice" : ""}, each item ${item.name}`, (s) => {
    const items = s.split(",").map((part) => item.decode(part.trim()));
    const good = items.flatMap((i) => (E.isRight(i) ? [i.right] : []));
    return good.length < items.length || (distinct && new Set(good).size < good.length) ? undefined : good;
  });

/** What a flag is where it is not given. */
export const otherwise = <A, B extends A | undefined>(type: t.Decoder<unknown, A>, value: B): t.Decoder<unknown, A | B> =>
  decoder<A | B>(type.name, (u, c) => (u === undefined ? t.success(value) : type.validate(u, c)));

/** A flag that need not be given. */
export const optional = <A>(type: t.Decoder<unknown, A>): t.Decoder<unknown, A | undefined> => otherwise(type, undefined);

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** The texts after the flags: `--name text` or `--name=text`. A bare `--` is passed over: some task runners hand theirs on. */
const split = (table: Table, args: readonly string[]): E.Either<Failure, ReadonlyMap<string, string>> => {
  const found = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--") continue;
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(args[i]) ?? [];
    if (name === undefined) return bad(args[i], "is no flag; --help lists them");
    if (!Object.hasOwn(table, name)) return bad(`--${name}`, "there is no such flag; --help lists them");
    if (found.has(name)) return bad(`--${name}`, "is given twice");
    const value = inline ?? (table[name].hint === "" ? "" : args[++i]);
    if (value === undefined || (inline === undefined && value.startsWith("--"))) return bad(`--${name}`, "needs a value after it");
    found.set(name, value);
  }
  return E.right(found);
};

/** Decodes arguments by a table. Fails with `BadOption`, which names the first flag that is unknown, missing or wrong. */
export const parseFlags = <T extends Table>(table: T, args: readonly string[]): E.Either<Failure, Values<T>> => {
  const texts = split(table, args);
  if (E.isLeft(texts)) return texts;
  const values: Record<string, unknown> = {};
  for (const [name, { type }] of Object.entries(table)) {
    const given = texts.right.get(name);
    const decoded = type.decode(given);
    if (E.isLeft(decoded)) {
      return bad(`--${name}`, given === undefined ? "is missing; --help says what it takes" : `should be ${type.name}, not ${JSON.stringify(given)}`);
    }
    values[name] = decoded.right;
  }
  return E.right(values as Values<T>);
};

/** Whether somebody asks for the usage. */
export const asksForHelp = (args: readonly string[]): boolean => args.includes("--help") || args.includes("-h");

/** The usage of a command: its first line, and a line a flag. */
export const usage = (head: string, table: Table): string => {
  const left = Object.entries(table).map(([name, { hint }]) => `  --${name} ${hint}`.trimEnd());
  const width = Math.max(...left.map((l) => l.length));
  return [head, "", ...Object.values(table).map(({ help }, i) => `${left[i].padEnd(width)}  ${help}`)].join("\n");
};
