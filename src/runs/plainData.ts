/**
 * Plain data as JSON and tensors: scalars, lists, objects and maps are JSON; every array of numbers is a tensor, named by the place where it stands, such as
 * `memory/bases/q/columns/0`. What stands in two places is written in the first and named in the second, so that it is one object again when it is read.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import { isNumberArray, type NumberArray } from "../formats/safetensors.ts";

/** Values that JSON has no word for. */
const words = { undefined: undefined, NaN: NaN, Infinity: Infinity, "-Infinity": -Infinity, "-0": -0 };
const wordFor = (value: unknown): keyof typeof words | undefined =>
  (Object.keys(words) as (keyof typeof words)[]).find((word) => Object.is(words[word], value));

const Scalar = t.union([t.string, t.number, t.boolean, t.null]);

/** A value as it is written: scalars and lists as themselves, all else under one key, which says what it is. */
const Node = t.union([
  Scalar,
  t.UnknownArray,
  t.strict({ word: t.keyof(words) }),
  t.strict({ object: t.UnknownRecord }),
  t.strict({ map: t.array(t.tuple([t.string, t.unknown])) }),
  // The length of the tensor that is named by this place.
  t.strict({ tensor: t.number }),
  // The place where the same object stood before.
  t.strict({ same: t.string }),
]);
type Node = t.TypeOf<typeof Node>;

/** A place within another, as JSON Pointer (RFC 6901) names it: no two places have one name. */
const within = (place: string, key: string): string => `${place === "" ? "" : `${place}/`}${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Converts every part of something that stands at `place`, in order, until one fails. */
const convertParts = <F, A, B>(
  parts: Iterable<readonly [string, A]>,
  place: string,
  convert: (part: A, place: string) => E.Either<F, B>,
): E.Either<F, readonly [string, B][]> =>
  pipe(
    [...parts],
    E.traverseArray(([key, part]) =>
      pipe(
        convert(part, within(place, key)),
        E.map((converted): [string, B] => [key, converted]),
      ),
    ),
    E.map((converted) => [...converted]),
  );

/** {@link convertParts} for a list, whose keys are its positions. */
const convertList = <F, A, B>(list: readonly A[], place: string, convert: (part: A, place: string) => E.Either<F, B>): E.Either<F, readonly B[]> =>
  pipe(
    convertParts(
      Array.from(list, (part, i) => [String(i), part] as const),
      place,
      convert,
    ),
    E.map((converted) => converted.map(([, part]) => part)),
  );

/** A list of scalars that JSON has words for is written and read as it is: no part of it needs a place, and answers to test images are many. */
const isPlainList = (list: readonly unknown[]): boolean => list.every((part) => Scalar.is(part) && wordFor(part) === undefined);

/** An array of f32, as it stands in decoded data. */
export const floats = new t.Type<Float32Array>(
  "an array of f32",
  (u) => u instanceof Float32Array,
  (u, c) => (u instanceof Float32Array ? t.success(u) : t.failure(u, c)),
  t.identity,
);

/** Plain data as it is written. */
export interface Encoded {
  /** What goes into the JSON file. */
  readonly json: unknown;
  /** What goes into the file of tensors, by place. */
  readonly arrays: ReadonlyMap<string, NumberArray>;
}

/** Levels beyond would be nested too deep for a JSON file, which has three for a map. */
const mostLevels = 150;

/** Encodes plain data. Fails with a phrase that begins with the place of what is no plain data: a function, a class of its own, an object within itself. */
export const encodePlain = (data: unknown): E.Either<string, Encoded> => {
  const places = new Map<object, string>();
  const arrays = new Map<string, NumberArray>();
  const encodeObject = (value: object, place: string): E.Either<string, Node> => {
    if (isNumberArray(value)) {
      arrays.set(place, value);
      return E.right({ tensor: value.length });
    }
    if (Array.isArray(value)) {
      const parts = Array.from<unknown>(value);
      if (isPlainList(parts)) return E.right(parts);
      return pipe(
        convertList(parts, place, encode),
        E.map((list) => [...list]),
      );
    }
    if (value instanceof Map) {
      if (![...value.keys()].every(t.string.is)) return E.left(`${place} has a key that is no string`);
      return pipe(
        convertParts(value, place, encode),
        E.map((map) => ({ map: [...map] })),
      );
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return E.left(`${place} is no plain object`);
    return pipe(
      convertParts(Object.entries(value), place, encode),
      E.map((object) => ({ object: Object.fromEntries(object) })),
    );
  };
  const encode = (value: unknown, place: string): E.Either<string, Node> => {
    const word = wordFor(value);
    if (word !== undefined) return E.right({ word });
    if (Scalar.is(value)) return E.right(value);
    if (typeof value !== "object" || value === null) return E.left(`${place} is a ${typeof value}`);
    if (place.split("/").length > mostLevels) return E.left(`${place.slice(0, 60)}… is nested more than ${mostLevels} levels deep`);
    const before = places.get(value);
    if (before === undefined) {
      places.set(value, place);
      return encodeObject(value, place);
    }
    return place.startsWith(`${before}/`) ? E.left(`${place} is ${before}, which holds it`) : E.right({ same: before });
  };
  return pipe(
    encode(data, ""),
    E.map((json) => ({ json, arrays })),
  );
};

/** What is wrong with encoded data: with a part of the JSON, or with one of the tensors. `detail` is a phrase. */
export type DecodeError = { readonly in: "json"; readonly detail: string } | { readonly in: "arrays"; readonly tensor: string; readonly detail: string };

/** Plain data as it was read, and the names of the tensors that have no place in it. */
export interface Decoded {
  readonly data: unknown;
  readonly unused: readonly string[];
}

/**
 * The inverse of {@link encodePlain}: the same bits, and one object where there was one. Phrases of failures call the JSON file `file`, and the data `what`.
 */
export const decodePlain = ({ json, arrays }: Encoded, { file, what }: { readonly file: string; readonly what: string }): E.Either<DecodeError, Decoded> => {
  /** What stood at each place that was read so far. */
  const decoded = new Map<string, unknown>();
  const badJson = (detail: string): E.Either<DecodeError, never> => E.left({ in: "json", detail });
  const badTensor = (tensor: string, detail: string): E.Either<DecodeError, never> => E.left({ in: "arrays", tensor, detail });
  const decodeNode = (node: Node, place: string): E.Either<DecodeError, unknown> => {
    if (typeof node !== "object" || node === null) return E.right(node);
    if (Array.isArray(node)) return isPlainList(node) ? E.right(node) : convertList(node, place, decode);
    if ("word" in node) return E.right(words[node.word]);
    if ("object" in node) return pipe(convertParts(Object.entries(node.object), place, decode), E.map(Object.fromEntries));
    if ("map" in node) {
      return pipe(
        convertParts(node.map, place, decode),
        E.map((entries) => new Map(entries)),
      );
    }
    if ("same" in node) {
      return decoded.has(node.same) ? E.right(decoded.get(node.same)) : badJson(`"${place}" is "${node.same}", which does not stand before it`);
    }
    const array = arrays.get(place);
    if (array?.length === node.tensor) return E.right(array);
    return badTensor(place, array === undefined ? "is missing" : `has ${array.length} numbers where ${file} says ${node.tensor}`);
  };
  const decode = (part: unknown, place: string): E.Either<DecodeError, unknown> => {
    const node = Node.decode(part);
    if (E.isLeft(node)) return badJson(`"${place}" is nothing that ${what} keeps`);
    return pipe(
      decodeNode(node.right, place),
      E.map((value) => {
        decoded.set(place, value);
        return value;
      }),
    );
  };
  return pipe(
    decode(json, ""),
    E.map((value) => ({ data: value, unused: [...arrays.keys()].filter((name) => decoded.get(name) !== arrays.get(name)) })),
  );
};
