/** JSON from outside: parsed as far as it can be used, and printed in a few characters. */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { firstLine } from "../platform/failures.ts";

/** Whoever walks a value level by level needs stack for each; nothing that is meant needs so many. */
const deepest = 500;

/** Whether lists and objects of a JSON text stand in one another at more than {@link deepest} levels. */
const tooDeep = (text: string): boolean => {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > deepest) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
};

/** A JSON text as an unchecked value; the left side says in words why it is none, or that it is nested too deep. */
export const parseJson = (text: string): E.Either<string, unknown> =>
  tooDeep(text)
    ? E.left(`its JSON is nested more than ${deepest} levels deep`)
    : E.tryCatch(
        (): unknown => JSON.parse(text),
        (error) => `it is not JSON: ${firstLine(error)}`,
      );

/** Whether a value is an object with names, and no list. */
export const isObject = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === "object" && u !== null && !Array.isArray(u);

const room = 60;

/** JSON up to about `left` characters: a large value is not written out to be cut. */
const beginning = (value: unknown, left: number): string => {
  if (typeof value === "string") return JSON.stringify(value.slice(0, left + 1));
  if (typeof value !== "object" || value === null) return String(value);
  let text = "";
  const add = (part: string): boolean => {
    text += text === "" ? part : `,${part}`;
    return text.length <= left;
  };
  if (Array.isArray(value)) {
    for (const part of value) if (!add(beginning(part, left - text.length - 1))) break;
    return `[${text}]`;
  }
  for (const [key, part] of Object.entries(value)) {
    const name = JSON.stringify(key.slice(0, left + 1));
    if (!add(`${name}:${beginning(part, left - text.length - name.length - 1)}`)) break;
  }
  return `{${text}}`;
};

/** A value as JSON of at most 60 characters, for messages. */
export const printed = (value: unknown): string => {
  if (value === undefined) return "nothing";
  const text = beginning(value, room);
  return text.length > room ? `${text.slice(0, room - 3)}...` : text;
};

/** What a codec takes, as the end of a sentence: the names of io-ts say of an object every field. */
export const inWords = (type: t.Any): string => {
  if (type instanceof t.UnionType) return [...new Set((type.types as readonly t.Any[]).map(inWords))].join(" or ");
  if (type instanceof t.KeyofType) return type.name.replaceAll(" | ", " or ");
  if (type instanceof t.ArrayType || type instanceof t.ReadonlyArrayType) return "a list";
  const objects = [t.IntersectionType, t.InterfaceType, t.PartialType, t.StrictType, t.ExactType, t.DictionaryType, t.AnyDictionaryType];
  return objects.some((kind) => type instanceof kind) ? "an object" : type.name;
};

/** A list that is refused at its first bad item: `t.array` keeps an error of every one. */
export const list = <A>(item: t.Type<A, unknown, unknown>): t.Type<readonly A[], unknown, unknown> =>
  new t.Type<readonly A[], unknown, unknown>(
    "a list",
    (u): u is readonly A[] => Array.isArray(u) && u.every(item.is),
    (u, context) => {
      if (!Array.isArray(u)) return t.failure(u, context);
      const items: A[] = [];
      for (const [i, value] of u.entries()) {
        const decoded = item.validate(value, t.appendContext(context, String(i), item, value));
        if (E.isLeft(decoded)) return decoded;
        items.push(decoded.right);
      }
      return t.success(items);
    },
    (items) => items.map(item.encode),
  );

/** An object whose values all fit, refused at the first that does not: `t.record` keeps an error of every one. */
export const dictionary = <A>(item: t.Type<A, unknown, unknown>): t.Type<Readonly<Record<string, A>>, unknown, unknown> =>
  new t.Type<Readonly<Record<string, A>>, unknown, unknown>(
    "an object",
    (u): u is Readonly<Record<string, A>> => t.UnknownRecord.is(u) && Object.values(u).every(item.is),
    (u, context) => {
      if (!t.UnknownRecord.is(u)) return t.failure(u, context);
      const entries: [string, A][] = [];
      for (const key of Object.keys(u)) {
        const value = u[key];
        const decoded = item.validate(value, t.appendContext(context, key, item, value));
        if (E.isLeft(decoded)) return decoded;
        entries.push([key, decoded.right]);
      }
      return t.success(Object.fromEntries(entries));
    },
    (record) => Object.fromEntries(Object.entries(record).map(([key, value]) => [key, item.encode(value)])),
  );

/** The same value with the keys of its objects in their order, so that equal values have one text; what is in lists stays as it is. */
export const inOrder = (u: unknown): unknown =>
  typeof u === "object" && u !== null && !Array.isArray(u)
    ? Object.fromEntries(
        Object.entries(u)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => [key, inOrder(value)]),
      )
    : u;
