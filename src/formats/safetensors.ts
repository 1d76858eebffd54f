/**
 * The safetensors format: eight bytes of header length, a JSON header, the tensors back to back.
 *
 * The reader trusts nothing: it makes the checks of the reference implementation (https://github.com/huggingface/safetensors) before
 * it reads a tensor, so a damaged or hostile file is a `FileCorrupt` with a byte offset and never an allocation larger than the file.
 */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { corrupt, exists, explain, readJsonAs, unreadable, writeAtomic } from "./files.ts";
import { fromBf16, fromF16, toBf16, toF16 } from "./half.ts";
import { elements } from "./hostTensor.ts";
import type { Dtype, HostTensor, Tensors } from "./hostTensor.ts";

const maxHeader = 100_000_000;

const bytesOf: Readonly<Record<Dtype, number>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U64: 8,
  U32: 4,
  U16: 2,
  U8: 1,
  BOOL: 1,
};

const natural = (u: unknown): u is number => Number.isSafeInteger(u) && (u as number) >= 0;
const Natural = new t.Type<number>("a whole number from 0 on", natural, (u, c) => (natural(u) ? t.success(u) : t.failure(u, c)), t.identity);

const Entry = t.type({ dtype: t.keyof(bytesOf), shape: t.array(Natural), data_offsets: t.tuple([Natural, Natural]) });
const Metadata = t.record(t.string, t.string);

/** One tensor of a file: where it is. `begin` and `end` count from the first byte after the header. */
interface Placed {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** What a file holds, before its tensors are read. */
interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: readonly Placed[];
  /** The byte at which the tensors begin. */
  readonly dataStart: number;
}

/** The first key that an object of a JSON text holds twice (`JSON.parse` silently keeps the last); the text must be valid JSON. */
const duplicateKey = (json: string): string | undefined => {
  const open: (Set<string> | null)[] = [];
  const token = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/gs;
  for (let found = token.exec(json); found !== null; found = token.exec(json)) {
    const text = found[0];
    if (text === "{") open.push(new Set());
    else if (text === "[") open.push(null);
    else if (text === "}" || text === "]") open.pop();
    else if (found[1] !== undefined) {
      const key = JSON.parse(text.slice(0, text.length - found[1].length)) as string;
      const keys = open[open.length - 1];
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
};

/** Checks a header of a file of `fileSize` bytes; all offsets of failures are bytes of the file. */
const parseHeader = (path: string, bytes: Uint8Array, fileSize: number): E.Either<Failure, Header> => {
  const refuse = (detail: string, offset: number): E.Either<Failure, never> => E.left(corrupt(path, detail, offset));
  const dataStart = 8 + bytes.byteLength;
  if (bytes[0] !== 0x7b) return refuse(`its header does not start with "{"`, 8);
  let parsed: object;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    parsed = JSON.parse(text) as object;
    const twice = duplicateKey(text);
    if (twice !== undefined) return refuse(`its header names ${JSON.stringify(twice)} twice`, 8);
  } catch {
    return refuse("its header is not JSON in UTF-8", 8);
  }
  let metadata: Readonly<Record<string, string>> = {};
  const tensors: Placed[] = [];
  for (const [name, value] of Object.entries(parsed)) {
    if (name === "__metadata__") {
      const decoded = Metadata.decode(value);
      if (E.isLeft(decoded)) return refuse(`__metadata__: ${explain(decoded.left)}`, 8);
      metadata = decoded.right;
    } else {
      const decoded = Entry.decode(value);
      if (E.isLeft(decoded)) return refuse(`tensor ${name}: ${explain(decoded.left)}`, 8);
      const {
        dtype,
        shape,
        data_offsets: [begin, end],
      } = decoded.right;
      tensors.push({ name, dtype, shape, begin, end });
    }
  }
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, dtype, shape, begin, end } of tensors) {
    const bytesNeeded = shape.reduce((product, n) => product * BigInt(n), BigInt(bytesOf[dtype]));
    if (begin !== at || end < begin) {
      return refuse(`tensor ${name} occupies bytes ${begin} to ${end} of the data where ${at} comes next (a hole or an overlap)`, dataStart + at);
    }
    if (bytesNeeded !== BigInt(end - begin)) {
      return refuse(`tensor ${name} of ${dtype} [${shape.join(", ")}] needs ${bytesNeeded} bytes and has ${end - begin}`, dataStart + begin);
    }
    at = end;
  }
  if (dataStart + at !== fileSize) {
    const detail =
      dataStart + at > fileSize ? `it ends early: its tensors need ${dataStart + at} bytes` : `${fileSize - dataStart - at} bytes follow its last tensor`;
    return refuse(detail, Math.min(fileSize, dataStart + at));
  }
  return E.right({ metadata, tensors, dataStart });
};

/** The system reads at most 2 GiB in one call. */
const oneRead = 2 ** 30;

/** Fills `into` from `position` on; false where the file ends before. */
const readFully = async (handle: FileHandle, into: Uint8Array, position: number): Promise<boolean> => {
  let at = 0;
  while (at < into.byteLength) {
    const { bytesRead } = await handle.read(into, at, Math.min(into.byteLength - at, oneRead), position + at);
    if (bytesRead === 0) return false;
    at += bytesRead;
  }
  return true;
};

const readHeader = async (path: string, handle: FileHandle): Promise<E.Either<Failure, Header>> => {
  const { size } = await handle.stat();
  const refuse = (detail: string, offset: number): E.Either<Failure, never> => E.left(corrupt(path, detail, offset));
  const prefix = new Uint8Array(8);
  if (size < 8 || !(await readFully(handle, prefix, 0))) return refuse(`it has ${size} bytes, too few for a header`, 0);
  const length = new DataView(prefix.buffer).getBigUint64(0, true);
  if (length > BigInt(maxHeader)) return refuse(`its header claims ${length} bytes; ${maxHeader} are allowed`, 0);
  if (8n + length > BigInt(size)) return refuse(`its header claims ${length} bytes and the file has ${size}`, 0);
  const header = new Uint8Array(Number(length));
  if (!(await readFully(handle, header, 8))) return refuse("it ends within its header", 8);
  return parseHeader(path, header, size);
};

/** The arrays of JavaScript that hold elements as a file does. */
const arrayTypes = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U64: BigUint64Array,
  U32: Uint32Array,
  U16: Uint16Array,
  U8: Uint8Array,
} as const;

/** The element types for which there is an array. */
type ArrayDtype = keyof typeof arrayTypes;

/** Numbers of one element type. */
export type NumberArray = InstanceType<(typeof arrayTypes)[ArrayDtype]>;

const hasArray = (dtype: Dtype): dtype is ArrayDtype => dtype in arrayTypes;

const dtypeOf = (value: object): ArrayDtype | undefined =>
  (Object.keys(arrayTypes) as ArrayDtype[]).find((dtype) => Object.getPrototypeOf(value) === arrayTypes[dtype].prototype);

/** Whether an object is an array of numbers that a file can hold as they are. */
export const isNumberArray = (value: object): value is NumberArray => dtypeOf(value) !== undefined;

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

const withHandle = <A>(path: string, use: (handle: FileHandle) => Promise<E.Either<Failure, A>>): TE.TaskEither<Failure, A> =>
  pipe(
    TE.tryCatch(async () => {
      const handle = await open(path, "r");
      try {
        return await use(handle);
      } finally {
        await handle.close();
      }
    }, unreadable(path)),
    TE.chainEitherK((result) => result),
  );

/** The wanted tensors of a file, as `decode` makes them from their bytes. */
const readOne = <A>(
  path: string,
  wanted: (name: string) => boolean,
  decode: (placed: Placed, bytes: Uint8Array) => A,
): TE.TaskEither<Failure, ReadonlyMap<string, A>> =>
  withHandle(path, async (handle) => {
    const header = await readHeader(path, handle);
    if (E.isLeft(header)) return header;
    const tensors = new Map<string, A>();
    for (const placed of header.right.tensors) {
      const { name, begin, end } = placed;
      if (!wanted(name)) continue;
      const bytes = new Uint8Array(end - begin);
      const offset = header.right.dataStart + begin;
      if (!(await readFully(handle, bytes, offset))) {
        return E.left(corrupt(path, `it ends within tensor ${name}`, offset));
      }
      tensors.set(name, decode(placed, bytes));
    }
    return E.right<Failure, ReadonlyMap<string, A>>(tensors);
  });

const hostTensor = ({ shape, dtype }: Placed, bytes: Uint8Array): HostTensor => ({ shape, data: toFloat32(dtype, bytes), dtype });

const Index = t.type({ weight_map: t.record(t.string, t.string) });

const readShards = (path: string): TE.TaskEither<Failure, Tensors> =>
  pipe(
    readJsonAs(Index, path),
    TE.chain(
      ({ weight_map: map }): TE.TaskEither<Failure, Tensors> =>
        async () => {
          const all = new Map<string, HostTensor>();
          for (const file of [...new Set(Object.values(map))].sort()) {
            if (file !== file.replace(/^.*[\\/]/s, "") || file === "..") {
              const detail = `"weight_map" names ${JSON.stringify(file)}, which is not a file of its folder`;
              return E.left<Failure>({ _tag: "BadConfig", path, detail });
            }
            const shard = await readOne(join(dirname(path), file), (name) => map[name] === file, hostTensor)();
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
export const readSafetensors = (path: string): TE.TaskEither<Failure, Tensors> =>
  path.endsWith(".json") ? readShards(path) : readOne(path, () => true, hostTensor);

/**
 * The tensors of a file as flat arrays of their own element types, bit for bit; f16, bf16 and truth values as their bytes. Failures as of
 * {@link readSafetensors}.
 */
export const readArrays = (path: string): TE.TaskEither<Failure, ReadonlyMap<string, NumberArray>> =>
  readOne(
    path,
    () => true,
    ({ dtype }, bytes): NumberArray => new arrayTypes[hasArray(dtype) ? dtype : "U8"](bytes.buffer as ArrayBuffer),
  );

/** The weights of a Hugging Face model folder: `model.safetensors`, or the shards of `model.safetensors.index.json`. */
export const readModelTensors = (dir: string): TE.TaskEither<Failure, Tensors> =>
  pipe(
    TE.fromTask<boolean, Failure>(async () => !(await exists(join(dir, "model.safetensors"))) && exists(join(dir, "model.safetensors.index.json"))),
    TE.chain((sharded) => readSafetensors(join(dir, sharded ? "model.safetensors.index.json" : "model.safetensors"))),
  );

/** The `__metadata__` of a file (empty where it has none); the header is checked as by {@link readSafetensors}, tensors are not read. */
export const readSafetensorsMetadata = (path: string): TE.TaskEither<Failure, Readonly<Record<string, string>>> =>
  withHandle(path, async (handle) =>
    pipe(
      await readHeader(path, handle),
      E.map((header) => header.metadata),
    ),
  );

/** How {@link writeSafetensors} writes. */
export interface SafetensorsOptions {
  /** Strings for `__metadata__`. @default {} */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The element type of every tensor, rounded to nearest even. @default "f32" */
  readonly dtype?: "f32" | "f16" | "bf16";
}

interface Encoding {
  readonly dtype: Dtype;
  readonly encode: (data: Float32Array) => Uint8Array;
}

const encodeAs: Readonly<Record<NonNullable<SafetensorsOptions["dtype"]>, Encoding>> = {
  f32: { dtype: "F32", encode: (data) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength) },
  f16: { dtype: "F16", encode: (data) => new Uint8Array(Uint16Array.from(data, toF16).buffer) },
  bf16: { dtype: "BF16", encode: (data) => new Uint8Array(Uint16Array.from(data, toBf16).buffer) },
};

/** From here on a finite value rounds to infinity in f16. */
const f16Overflow = 65520;

/** A tensor that is to be written: its bytes are made when their turn comes. */
interface Written {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: () => Uint8Array;
}

const writeTensors = (path: string, tensors: readonly Written[], metadata?: SafetensorsOptions["metadata"]): TE.TaskEither<Failure, void> => {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const header: [string, unknown][] = metadata === undefined ? [] : [["__metadata__", metadata]];
  let at = 0;
  for (const { name, dtype, shape } of sorted) {
    const end = at + elements(shape) * bytesOf[dtype];
    header.push([name, { dtype, shape, data_offsets: [at, end] }]);
    at = end;
  }
  // The header is written by hand where an object would lose its order (names that look like numbers) or a name (`__proto__`).
  const json = `{${header.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
  const text = new TextEncoder().encode(json);
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);
  const chunks = function* (): Generator<Uint8Array> {
    yield padded;
    for (const { bytes } of sorted) yield bytes();
  };
  return writeAtomic(path, chunks());
};

/**
 * Writes tensors in the order of their names, as one (see `writeAtomic`): equal tensors give equal bytes. Failures: `BadTensor` where
 * data and shape disagree or a finite value does not fit f16, `FileUnwritable`; neither leaves anything behind.
 *
 * ```ts
 * const written = await writeSafetensors(`${folder}/a.safetensors`, new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]))();
 * assert.equal(written._tag, "Right");
 * const read = await readSafetensors(`${folder}/a.safetensors`)();
 * assert.ok(read._tag === "Right" && read.right.get("w")?.data[1] === 2);
 * ```
 */
export const writeSafetensors = (path: string, tensors: Tensors, options: SafetensorsOptions = {}): TE.TaskEither<Failure, void> => {
  const { dtype, encode } = encodeAs[options.dtype ?? "f32"];
  for (const [name, { shape, data }] of tensors) {
    const bad = (detail: string): TE.TaskEither<Failure, never> => TE.left({ _tag: "BadTensor", path, tensor: name, detail });
    if (name === "__metadata__") return bad("has a name that the format keeps for itself");
    if (elements(shape) !== data.length) return bad(`has ${data.length} values and the shape [${shape.join(", ")}]`);
    if (dtype === "F16") {
      const large = data.find((x) => Math.abs(x) >= f16Overflow && Number.isFinite(x));
      if (large !== undefined) return bad(`holds ${large}, which does not fit f16; write f32 or bf16`);
    }
  }
  return writeTensors(
    path,
    [...tensors].map(([name, { shape, data }]) => ({ name, dtype, shape, bytes: () => encode(data) })),
    options.metadata,
  );
};

/** Writes flat arrays with the element types that they have: the inverse of {@link readArrays}. Failures: `FileUnwritable`. */
export const writeArrays = (path: string, arrays: ReadonlyMap<string, NumberArray>): TE.TaskEither<Failure, void> =>
  writeTensors(
    path,
    [...arrays].map(([name, data]) => ({
      name,
      dtype: dtypeOf(data)!,
      shape: [data.length],
      bytes: () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
  );
