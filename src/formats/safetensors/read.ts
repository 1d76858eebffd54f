/** Reading safetensors: one file, or the shards that an index names. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../../failure.ts";
import { platform } from "../../platform/default.ts";
import type { Files } from "../../platform/files.ts";
import { corrupt, exists, readJsonAs } from "../files.ts";
import { fromBf16, fromF16 } from "../half.ts";
import type { Dtype, HostTensor, Tensors } from "../hostTensor.ts";
import { dictionary } from "../json.ts";
import { dirname, join } from "../path.ts";
import { arrayTypes, hasArray, type NumberArray } from "./arrays.ts";
import { readHeader, type Placed } from "./header.ts";

/** Little-endian bytes of `dtype` as f32; integers beyond 2^24 are rounded. */
const toFloat32 = (dtype: Dtype, bytes: Uint8Array): Float32Array => {
  const buffer = bytes.buffer as ArrayBuffer;
  const halves = (decode: (bits: number) => number): Float32Array => {
    const source = new Uint16Array(buffer);
    const out = new Float32Array(source.length);
    for (let i = 0; i < out.length; i++) out[i] = decode(source[i]);
    return out;
  };
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer);
    case "F16":
      return halves(fromF16);
    case "BF16":
      return halves(fromBf16);
    case "I64":
      return Float32Array.from(new BigInt64Array(buffer), Number);
    case "U64":
      return Float32Array.from(new BigUint64Array(buffer), Number);
    case "BOOL":
      return Float32Array.from(bytes);
    default:
      return Float32Array.from(new arrayTypes[dtype](buffer));
  }
};

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

const Index = t.type({ weight_map: dictionary(t.string) });

const readShards = (path: string, files: Files): TE.TaskEither<Failure, Tensors> =>
  pipe(
    readJsonAs(Index, path, files),
    TE.chain(
      ({ weight_map: map }): TE.TaskEither<Failure, Tensors> =>
        async () => {
          const all = new Map<string, HostTensor>();
          for (const file of [...new Set(Object.values(map))].sort()) {
            if (file !== file.replace(/^.*[\\/]/s, "") || file === "..") {
              const detail = `"weight_map" names ${JSON.stringify(file)}, which is not a file of its folder`;
              return E.left<Failure>({ _tag: "BadConfig", path, detail });
            }
            const shard = await readOne(join(dirname(path), file), files, hostTensor, (name) => map[name] === file)();
            if (E.isLeft(shard)) return shard;
            for (const [name, tensor] of shard.right) all.set(name, tensor);
          }
          const missing = Object.keys(map).find((name) => !all.has(name));
          if (missing === undefined) return E.right<Failure, Tensors>(all);
          const detail = "is listed in the index and missing in the file";
          return E.left<Failure>({ _tag: "BadTensor", path: join(dirname(path), map[missing]), tensor: missing, detail });
        },
    ),
  );

/**
 * All tensors of a `.safetensors` file as f32, or of all the shards that a `.safetensors.index.json` names. Floats of other widths
 * and integers are converted; the file's own type stays in `dtype`. Failures: `FileUnreadable`; `FileCorrupt` with the byte offset.
 */
export const readSafetensors = (path: string, files: Files = platform.files): TE.TaskEither<Failure, Tensors> =>
  path.endsWith(".json") ? readShards(path, files) : readOne(path, files, hostTensor);

/**
 * The tensors of a file as flat arrays of their own element types, bit for bit; f16, bf16 and truth values as their bytes. Failures as of
 * {@link readSafetensors}.
 */
export const readArrays = (path: string, files: Files = platform.files): TE.TaskEither<Failure, ReadonlyMap<string, NumberArray>> =>
  readOne(path, files, ({ dtype }, bytes): NumberArray => new arrayTypes[hasArray(dtype) ? dtype : "U8"](bytes.buffer as ArrayBuffer));

/** The weights of a Hugging Face model folder: `model.safetensors`, or the shards of `model.safetensors.index.json`. */
export const readModelTensors = (dir: string, files: Files = platform.files): TE.TaskEither<Failure, Tensors> => {
  const [whole, index] = [join(dir, "model.safetensors"), join(dir, "model.safetensors.index.json")];
  return pipe(
    TE.fromTask<boolean, Failure>(async () => !(await exists(whole, files)) && exists(index, files)),
    TE.chain((sharded) => readSafetensors(sharded ? index : whole, files)),
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
