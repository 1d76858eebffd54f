/** Writing safetensors: equal tensors give equal bytes, and a file appears whole or not at all. */
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { platform } from "../../platform/default.ts";
import type { Files } from "../../platform/files.ts";
import { toBf16, toF16 } from "../half.ts";
import { elements, type Dtype, type Tensors } from "../hostTensor.ts";
import { bytesOf, dtypeOf, type NumberArray } from "./arrays.ts";

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

/** From here on a finite value rounds to infinity. */
const overflow: Readonly<Partial<Record<Dtype, number>>> = { F16: 65520, BF16: (2 - 2 ** -8) * 2 ** 127 };

/** A tensor that is to be written: its bytes are made when their turn comes. */
interface Written {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: () => Uint8Array;
}

/** Header and tensors, in the order of their names. */
const writeTensors = (path: string, tensors: readonly Written[], files: Files, metadata?: SafetensorsOptions["metadata"]): TE.TaskEither<Failure, void> => {
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
  return files.write(path, chunks());
};

/**
 * Writes tensors in the order of their names, as one (see `writeAtomic`): equal tensors give equal bytes. Failures: `BadTensor` where
 * data and shape disagree or a finite value does not fit f16 or bf16, `FileUnwritable`; neither leaves anything behind.
 *
 * ```ts
 * const written = await writeSafetensors(`${folder}/a.safetensors`, new Map([["w", { shape: [2], data: Float32Array.of(1, 2) }]]))();
 * assert.equal(written._tag, "Right");
 * const read = await formats.readSafetensors(`${folder}/a.safetensors`)();
 * assert.ok(read._tag === "Right" && read.right.get("w")?.data[1] === 2);
 * ```
 */
export const writeSafetensors = (
  path: string,
  tensors: Tensors,
  options: SafetensorsOptions = {},
  files: Files = platform.files,
): TE.TaskEither<Failure, void> => {
  const { dtype, encode } = encodeAs[options.dtype ?? "f32"];
  for (const [name, { shape, data }] of tensors) {
    const bad = (detail: string): TE.TaskEither<Failure, never> => TE.left({ _tag: "BadTensor", path, tensor: name, detail });
    if (name === "__metadata__") return bad("has a name that the format keeps for itself");
    if (elements(shape) !== data.length) return bad(`has ${data.length} values and the shape [${shape.join(", ")}]`);
    const limit = overflow[dtype];
    const large = limit === undefined ? undefined : data.find((x) => Math.abs(x) >= limit && Number.isFinite(x));
    if (large !== undefined) return bad(`holds ${large}, which does not fit ${options.dtype}; write f32${options.dtype === "f16" ? " or bf16" : ""}`);
  }
  return writeTensors(
    path,
    [...tensors].map(([name, { shape, data }]) => ({ name, dtype, shape, bytes: () => encode(data) })),
    files,
    options.metadata,
  );
};

/** Writes flat arrays with the element types that they have: the inverse of {@link readArrays}. Failures: `FileUnwritable`. */
export const writeArrays = (path: string, arrays: ReadonlyMap<string, NumberArray>, files: Files = platform.files): TE.TaskEither<Failure, void> =>
  writeTensors(
    path,
    [...arrays].map(([name, data]) => ({
      name,
      dtype: dtypeOf(data)!,
      shape: [data.length],
      bytes: () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    })),
    files,
  );
