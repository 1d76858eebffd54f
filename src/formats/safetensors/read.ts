/** Reading safetensors: one file, or the shards that an index names. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { platform } from "../../platform/default.ts";
import type { Files } from "../../platform/files.ts";
import { corrupt, exists } from "../files.ts";
import type { HostTensor, Tensors } from "../hostTensor.ts";
import { join } from "../path.ts";
import { arrayTypes, hasArray, type NumberArray } from "./arrays.ts";
import { toFloat32 } from "./convert.ts";
import { readHeader, type Placed } from "./header.ts";
import { readShardIndex } from "./shards.ts";
import type { StoredTensor } from "./stream.ts";

/** The wanted tensors of a file, as `decode` makes them from their bytes. */
const readOne = <A>(
  path: string,
  files: Files,
  decode: (placed: Placed, bytes: Uint8Array) => A,
  wanted: (name: string) => boolean = () => true,
): TE.TaskEither<Failure, ReadonlyMap<string, A>> =>
  files.open(path, (file) => async () => {
    const header = await readHeader(file)();
    if (E.isLeft(header)) return header;
    const tensors = new Map<string, A>();
    for (const placed of header.right.tensors) {
      const { name, begin, end } = placed;
      if (!wanted(name)) continue;
      const bytes = new Uint8Array(end - begin);
      const offset = header.right.dataStart + begin;
      const read = await file.read(bytes, offset)();
      if (E.isLeft(read)) return read;
      if (read.right < bytes.length) return E.left(corrupt(path, `it ends within tensor ${name}`, offset));
      tensors.set(name, decode(placed, bytes));
    }
    return E.right<Failure, ReadonlyMap<string, A>>(tensors);
  });

const hostTensor = ({ shape, dtype }: Placed, bytes: Uint8Array): HostTensor => ({ shape, data: toFloat32(dtype, bytes), dtype });

/** What is read of every shard of an index, by the names of its tensors. Fails with `BadTensor` where a shard lacks one that the index says it has. */
const ofShards = <A>(
  path: string,
  files: Files,
  read: (shard: string, wanted: (name: string) => boolean) => TE.TaskEither<Failure, ReadonlyMap<string, A>>,
): TE.TaskEither<Failure, ReadonlyMap<string, A>> =>
  pipe(
    readShardIndex(path, files),
    TE.chain(
      (map): TE.TaskEither<Failure, ReadonlyMap<string, A>> =>
        async () => {
          const all = new Map<string, A>();
          for (const shard of new Set([...map.values()].sort())) {
            const found = await read(shard, (name) => map.get(name) === shard)();
            if (E.isLeft(found)) return found;
            for (const [name, one] of found.right) all.set(name, one);
          }
          const [missing] = [...map].find(([name]) => !all.has(name)) ?? [];
          if (missing === undefined) return E.right(all);
          return E.left({ _tag: "BadTensor", path: map.get(missing)!, tensor: missing, detail: "is listed in the index and missing in the file" });
        },
    ),
  );

/**
 * All tensors of a `.safetensors` file as f32, or of all the shards that a `.safetensors.index.json` names. Floats of other widths
 * and integers are converted; the file's own type stays in `dtype`. Failures: `FileUnreadable`; `FileCorrupt` with the byte offset.
 */
export const readSafetensors = (path: string, files: Files = platform.files): TE.TaskEither<Failure, Tensors> =>
  path.endsWith(".json") ? ofShards(path, files, (shard, wanted) => readOne(shard, files, hostTensor, wanted)) : readOne(path, files, hostTensor);

/**
 * The tensors of a file as flat arrays of their own element types, bit for bit; f16, bf16 and truth values as their bytes. Failures as of
 * {@link readSafetensors}.
 */
export const readArrays = (path: string, files: Files = platform.files): TE.TaskEither<Failure, ReadonlyMap<string, NumberArray>> =>
  readOne(path, files, ({ dtype }, bytes): NumberArray => new arrayTypes[hasArray(dtype) ? dtype : "U8"](bytes.buffer as ArrayBuffer));

/** The file of a Hugging Face model folder that has its weights: `model.safetensors`, or `model.safetensors.index.json`, which names its shards. */
const weightsOf = (dir: string, files: Files): TE.TaskEither<Failure, string> => {
  const [whole, index] = [join(dir, "model.safetensors"), join(dir, "model.safetensors.index.json")];
  return TE.fromTask(async () => (!(await exists(whole, files)) && (await exists(index, files)) ? index : whole));
};

/** The weights of a Hugging Face model folder: `model.safetensors`, or the shards of `model.safetensors.index.json`. */
export const readModelTensors = (dir: string, files: Files = platform.files): TE.TaskEither<Failure, Tensors> =>
  pipe(
    weightsOf(dir, files),
    TE.chain((path) => readSafetensors(path, files)),
  );

/** Where the weights of a Hugging Face model folder lie: the headers of its files alone are read, and checked as by {@link readSafetensors}. */
export const readModelPlaces = (dir: string, files: Files = platform.files): TE.TaskEither<Failure, ReadonlyMap<string, StoredTensor>> => {
  const places = (path: string, wanted: (name: string) => boolean = () => true): TE.TaskEither<Failure, ReadonlyMap<string, StoredTensor>> =>
    files.open(path, (file) =>
      pipe(
        readHeader(file),
        TE.map(({ tensors, dataStart }) => new Map(tensors.flatMap((t) => (wanted(t.name) ? [[t.name, { ...t, path, at: dataStart + t.begin }]] : [])))),
      ),
    );
  return pipe(
    weightsOf(dir, files),
    TE.chain((path) => (path.endsWith(".json") ? ofShards(path, files, places) : places(path))),
  );
};

/** The `__metadata__` of a file (empty where it has none); the header is checked as by {@link readSafetensors}, tensors are not read. */
export const readSafetensorsMetadata = (path: string, files: Files = platform.files): TE.TaskEither<Failure, Readonly<Record<string, string>>> =>
  files.open(path, (file) =>
    pipe(
      readHeader(file),
      TE.map(({ metadata }) => metadata),
    ),
  );
