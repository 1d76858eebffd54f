/**
 * Checkpoints: a learner written down and read back, with the same bits.
 *
 * The folder of a learner is that of its model with two files more. `learner.json` has what the learner keeps beside the model, nested as it is. Every array of
 * numbers in it is a tensor of `learner.safetensors`, under the place where it stands, such as `memory/bases/q/columns/0`. What stands in two places is written
 * in the first and named in the second, so that it is one object again when it is read.
 */

import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { explain, readJsonAs, writeFolderAtomic, writeJson } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { isNumberArray, readArrays, writeArrays, type NumberArray } from "../formats/safetensors.ts";
import { readModel, writeModel } from "../model/model.ts";
import type { Learner } from "../training/lesson.ts";

const files = (dir: string) => ({ structure: join(dir, "learner.json"), arrays: join(dir, "learner.safetensors") });

const floats = new t.Type<Float32Array>(
  "an array of f32",
  (u) => u instanceof Float32Array,
  (u, c) => (u instanceof Float32Array ? t.success(u) : t.failure(u, c)),
  t.identity,
);

/** What a learner keeps beside its model. */
const Kept = t.intersection([
  t.type({ seen: t.array(t.string), memory: t.UnknownRecord }),
  t.partial({ head: t.type({ kind: t.keyof({ linear: null, cosine: null }), scale: t.number, rows: floats, bias: floats }) }),
]);
type Kept = Omit<Learner, "model">;

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

const Structure = t.type({ version: t.literal(1), learner: t.unknown });

/** A place within another, as JSON Pointer (RFC 6901) names it: no two places have one name. */
const within = (place: string, key: string): string => `${place === "" ? "" : `${place}/`}${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** What `of` makes of every part of something at a place, in order, until one fails. */
const each = <A, B>(parts: Iterable<readonly [string, A]>, place: string, of: (part: A, place: string) => E.Either<Failure, B>) =>
  pipe(
    [...parts],
    E.traverseArray(([key, part]) =>
      pipe(
        of(part, within(place, key)),
        E.map((made): [string, B] => [key, made]),
      ),
    ),
  );

const eachOf = <A, B>(list: readonly A[], place: string, of: (part: A, place: string) => E.Either<Failure, B>) =>
  pipe(
    each(
      Array.from(list, (part, i) => [String(i), part] as const),
      place,
      of,
    ),
    E.map((made) => made.map(([, part]) => part)),
  );

/** What is kept as it is written, and the arrays in it by place. */
const taken = (path: string, kept: Kept): E.Either<Failure, { readonly learner: Node; readonly arrays: ReadonlyMap<string, NumberArray> }> => {
  const places = new Map<object, string>();
  const arrays = new Map<string, NumberArray>();
  const refuse = (place: string, what: string): E.Either<Failure, never> =>
    E.left({ _tag: "FileUnwritable", path, detail: `${place} ${what}; a learner is plain data` });
  const nodeOf = (value: unknown, place: string): E.Either<Failure, Node> => {
    const word = wordFor(value);
    if (word !== undefined) return E.right({ word });
    if (Scalar.is(value)) return E.right(value);
    if (typeof value !== "object" || value === null) return refuse(place, `is a ${typeof value}`);
    const before = places.get(value);
    if (before !== undefined) return place.startsWith(`${before}/`) ? refuse(place, `is ${before}, which holds it`) : E.right({ same: before });
    places.set(value, place);
    if (isNumberArray(value)) {
      arrays.set(place, value);
      return E.right({ tensor: value.length });
    }
    if (Array.isArray(value)) return eachOf(value, place, nodeOf);
    if (value instanceof Map) {
      if (![...value.keys()].every(t.string.is)) return refuse(place, "has a key that is no string");
      return pipe(
        each(value, place, nodeOf),
        E.map((map) => ({ map: [...map] })),
      );
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return refuse(place, "is no plain object");
    return pipe(
      each(Object.entries(value), place, nodeOf),
      E.map((object) => ({ object: Object.fromEntries(object) })),
    );
  };
  return pipe(
    nodeOf(kept, ""),
    E.map((learner) => ({ learner, arrays })),
  );
};

/** The inverse of {@link taken}. */
const given = (dir: string, learner: unknown, arrays: ReadonlyMap<string, NumberArray>): E.Either<Failure, Kept> => {
  const path = files(dir);
  const found = new Map<string, unknown>();
  const bad = (detail: string): Failure => ({ _tag: "BadConfig", path: path.structure, detail });
  const badTensor = (tensor: string, detail: string): Failure => ({ _tag: "BadTensor", path: path.arrays, tensor, detail });
  const made = (node: Node, place: string): E.Either<Failure, unknown> => {
    if (typeof node !== "object" || node === null) return E.right(node);
    if (Array.isArray(node)) return eachOf(node, place, valueOf);
    if ("word" in node) return E.right(words[node.word]);
    if ("object" in node) return pipe(each(Object.entries(node.object), place, valueOf), E.map(Object.fromEntries));
    if ("map" in node)
      return pipe(
        each(node.map, place, valueOf),
        E.map((entries) => new Map(entries)),
      );
    if ("same" in node) {
      return found.has(node.same) ? E.right(found.get(node.same)) : E.left(bad(`"${place}" is "${node.same}", which does not stand before it`));
    }
    const array = arrays.get(place);
    if (array?.length === node.tensor) return E.right(array);
    return E.left(badTensor(place, array === undefined ? "is missing" : `has ${array.length} numbers where learner.json says ${node.tensor}`));
  };
  const valueOf = (json: unknown, place: string): E.Either<Failure, unknown> => {
    const node = Node.decode(json);
    if (E.isLeft(node)) return E.left(bad(`"${place}" is nothing that a learner keeps`));
    return pipe(
      made(node.right, place),
      E.map((value) => {
        found.set(place, value);
        return value;
      }),
    );
  };
  return pipe(
    valueOf(learner, ""),
    E.chain((value) =>
      pipe(
        Kept.decode(value),
        E.mapLeft((errors) => bad(explain(errors))),
      ),
    ),
    E.chain((kept) => {
      const surplus = [...arrays.keys()].find((name) => found.get(name) !== arrays.get(name));
      return surplus === undefined ? E.right(kept) : E.left(badTensor(surplus, "is not in learner.json"));
    }),
  );
};

/**
 * Writes a learner as a folder that {@link readModel} and `transformers` load as its model, and {@link readLearner} as itself; equal learners give equal
 * bytes, and the folder appears whole or not at all. Fails with `FileUnwritable`, which names the place where something is not plain data: scalars, arrays of
 * numbers, lists, objects and maps by name, none within itself.
 */
export const writeLearner = (dir: string, { model, ...kept }: Learner): TE.TaskEither<Failure, void> =>
  pipe(
    TE.fromEither(taken(files(dir).structure, kept)),
    TE.chain(({ learner, arrays }) =>
      writeFolderAtomic(dir, (temp) =>
        pipe(
          writeModel(temp, model),
          TE.chain(() => writeJson(files(temp).structure, { version: 1, learner })),
          TE.chain(() => writeArrays(files(temp).arrays, arrays)),
        ),
      ),
    ),
  );

/**
 * Reads what {@link writeLearner} wrote: the same bits, and one object where there was one. Tokenizer and preprocessing are made anew from the model's files.
 * Fails as {@link readModel} does, with `FileUnreadable` or `FileCorrupt` where a file is missing or cut off, with `BadConfig` where `learner.json` does not
 * describe a learner, and with `BadTensor` where `learner.safetensors` does not fit it.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const config = { vision, embed: 8 };
 * const vit = { config, weights: model.initialParameters(config, 1), preprocess: data.vitPreprocess(8), files: new Map() };
 * const basis = { d: 2, columns: [Float32Array.of(0.6, 0.8)] };
 * const before = { ...learner(vit), seen: ["cat", "dog"], memory: { bases: new Map([["k", basis], ["v", basis]]) } };
 * assert.equal((await writeLearner(`${folder}/learner`, before)())._tag, "Right");
 * const after = await readLearner(`${folder}/learner`)();
 * assert.ok(after._tag === "Right");
 * assert.deepEqual(after.right, before);
 * ```
 */
export const readLearner = (dir: string): TE.TaskEither<Failure, Learner> => {
  const path = files(dir);
  return pipe(
    TE.Do,
    TE.bind("structure", () => readJsonAs(Structure, path.structure)),
    TE.bind("arrays", () => readArrays(path.arrays)),
    TE.bind("model", () => readModel(dir)),
    TE.chainEitherK(({ structure, arrays, model }) =>
      pipe(
        given(dir, structure.learner, arrays),
        E.filterOrElse(
          ({ head }) => head === undefined || head.rows.length === head.bias.length * model.config.embed,
          ({ head }): Failure => ({
            _tag: "BadTensor",
            path: path.arrays,
            tensor: "head/rows",
            detail: `has ${head!.rows.length} numbers where ${head!.bias.length} classes need ${model.config.embed} each`,
          }),
        ),
        E.map((kept): Learner => ({ model, ...kept })),
      ),
    ),
  );
};
