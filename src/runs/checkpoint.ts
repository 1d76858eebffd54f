/**
 * Checkpoints: a learner written down and read back, with the same bits.
 *
 * The folder of a learner is that of its model with two files more. `learner.json` has what the learner keeps beside the model, nested as it is, and
 * `learner.safetensors` has the arrays of numbers in it (see `plainData.ts`).
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Task } from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { explain, readJsonAs, writeFolderAtomic, writeJson } from "../formats/files.ts";
import { list } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import { notFinite } from "../formats/hostTensor.ts";
import { readArrays, writeArrays } from "../formats/safetensors.ts";
import { networkOf, readModel, writeModel, type ReadModelOptions } from "../model/model.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { learner, type Learner } from "../model/learner.ts";
import { finite } from "../report/codec.ts";
import { finiteWeights } from "../model/weights.ts";
import type { LocateOptions } from "./locate.ts";
import { readAnyModel } from "./readAnyModel.ts";
import { decodePlain, encodePlain, type DecodeError, type Encoded, floats } from "./plainData.ts";

const structureName = "learner.json";

/** The two files of a learner beside those of its model. */
const pathsIn = (dir: string) => ({ structure: join(dir, structureName), arrays: join(dir, "learner.safetensors") });

/** What a learner keeps beside its model. */
const Kept = t.intersection([
  t.type({ seen: list(t.string), memory: t.UnknownRecord }),
  t.partial({ head: t.type({ kind: t.keyof({ linear: null, cosine: null }), scale: finite, rows: floats, bias: floats }) }),
]);
type Kept = Omit<Learner, "model">;

const Structure = t.intersection([
  t.type({ version: t.literal(1), learner: t.unknown }),
  // What the file of the model was in that it began with; here it is in f32, so that a run goes on to the same bits.
  t.partial({ dtype: t.keyof({ f16: null, bf16: null }) }),
]);

/** What a learner keeps beside its model, from what was read of its two files. */
const decodeKept = (dir: string, encoded: Encoded): E.Either<Failure, Kept> => {
  const paths = pathsIn(dir);
  const bad = (detail: string): Failure => ({ _tag: "BadConfig", path: paths.structure, detail });
  const badTensor = (tensor: string, detail: string): Failure => ({ _tag: "BadTensor", path: paths.arrays, tensor, detail });
  return pipe(
    decodePlain(encoded, { file: structureName, what: "a learner" }),
    E.mapLeft((error: DecodeError) => (error.in === "json" ? bad(error.detail) : badTensor(error.tensor, error.detail))),
    E.chain(({ data, unused: [surplus] }) =>
      pipe(
        Kept.decode(data),
        E.mapLeft((errors) => bad(explain(errors))),
        E.filterOrElse(
          () => surplus === undefined,
          () => badTensor(surplus, `is not in ${structureName}`),
        ),
      ),
    ),
  );
};

/** Whether every number of a learner's arrays is finite. */
const checkFinite = (dir: string, arrays: Encoded["arrays"]): E.Either<Failure, void> => {
  for (const [tensor, data] of arrays) {
    const detail = data instanceof Float32Array || data instanceof Float64Array ? notFinite(data) : undefined;
    if (detail !== undefined) return E.left({ _tag: "BadTensor", path: pathsIn(dir).arrays, tensor, detail });
  }
  return E.right(undefined);
};

/** Whether the rows of a head are as wide as the features of its model; a failure says how wide they should be. */
const checkHead = (dir: string, embed: number, { head }: Kept): E.Either<Failure, void> =>
  head === undefined || head.rows.length === head.bias.length * embed
    ? E.right(undefined)
    : E.left({
        _tag: "BadTensor",
        path: pathsIn(dir).arrays,
        tensor: "head/rows",
        detail: `has ${head.rows.length} numbers where ${head.bias.length} classes need ${embed} each`,
      });

/** Writes the files of a learner into a folder that is there. */
export const fillWithLearner = (folder: string, { model, ...kept }: Learner, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    encodePlain(kept),
    E.mapLeft((what): Failure => ({ _tag: "FileUnwritable", path: pathsIn(folder).structure, detail: `${what}; a learner is plain data` })),
    E.chainFirst(({ arrays }) => checkFinite(folder, arrays)),
    E.chainFirst(() => finiteWeights(model.weights, folder)),
    TE.fromEither,
    TE.chain(({ json, arrays }) =>
      pipe(
        writeModel(folder, model, { dtype: "f32", files }),
        TE.chain(() => writeJson(pathsIn(folder).structure, { version: 1, dtype: model.dtype, learner: json }, files)),
        TE.chain(() => writeArrays(pathsIn(folder).arrays, arrays, files)),
      ),
    ),
  );

/**
 * Writes a learner as a folder that {@link readModel} and `transformers` load as its model, and {@link readLearner} as itself; equal learners give equal
 * bytes, and the folder appears whole or not at all. Fails with `BadTensor` where a weight, or a number of an array that the learner keeps, is not finite; and
 * with `FileUnwritable`, which names the place where something is not plain data: scalars, arrays of numbers, lists, objects and maps by name, none within
 * itself.
 */
export const writeLearner = (dir: string, learner: Learner, { files = platform.files }: { readonly files?: Files } = {}): TE.TaskEither<Failure, void> =>
  writeFolderAtomic(dir, (temporary) => fillWithLearner(temporary, learner, files), files);

/**
 * Reads what {@link writeLearner} wrote: the same bits, and one object where there was one. Tokenizer and preprocessing are made anew from the model's files.
 * Fails as {@link readModel} does, with `FileUnreadable` or `FileCorrupt` where a file is missing or cut off, with `BadConfig` where `learner.json` does not
 * describe a learner, and with `BadTensor` where `learner.safetensors` does not fit it or holds a number that is not finite.
 *
 * ```ts
 * const vision = { width: 8, mlpWidth: 16, layers: 1, heads: 2, activation: "gelu", eps: 1e-12, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const vit = model.initialModel(model.vit, { vision }, 1);
 * const basis = { d: 2, columns: [Float32Array.of(0.6, 0.8)] };
 * const before = { ...learner(vit), seen: ["cat", "dog"], memory: { bases: new Map([["k", basis], ["v", basis]]) } };
 * assert.equal((await writeLearner(`${folder}/learner`, before)())._tag, "Right");
 * const after = await readLearner(`${folder}/learner`)();
 * assert.ok(after._tag === "Right");
 * assert.deepEqual(after.right, before);
 * ```
 */
export const readLearner = (dir: string, { files = platform.files, ...options }: ReadModelOptions = {}): TE.TaskEither<Failure, Learner> =>
  pipe(
    TE.Do,
    TE.bind("structure", () => readJsonAs(Structure, pathsIn(dir).structure, files)),
    TE.bind("arrays", () => readArrays(pathsIn(dir).arrays, files)),
    TE.bind("model", () => readModel(dir, { ...options, files })),
    TE.chainEitherK(({ structure, arrays, model }) =>
      pipe(
        checkFinite(dir, arrays),
        E.chain(() => decodeKept(dir, { json: structure.learner, arrays })),
        E.chainFirst((kept) => checkHead(dir, networkOf(model).width, kept)),
        E.map((kept): Learner => ({ model: structure.dtype === undefined ? model : { ...model, dtype: structure.dtype }, ...kept })),
      ),
    ),
  );

/** Whether a folder holds what a learner remembers, beside its model. */
export const isLearner = (dir: string, files: Files): Task<boolean> => files.exists(pathsIn(dir).structure);

/**
 * A learner, where its folder holds what it remembers; else one that begins with the model there, or with that of an adapter. Fails as {@link readLearner} and
 * {@link readAnyModel} do.
 */
export const readLearnerOrModel = (dir: string, options: LocateOptions = {}): TE.TaskEither<Failure, Learner> => {
  const { files = platform.files } = options;
  return pipe(
    TE.fromTask<boolean, Failure>(isLearner(dir, files)),
    TE.chain((remembers) => (remembers ? readLearner(dir, { files }) : pipe(readAnyModel(dir, options), TE.map(learner)))),
  );
};
