/**
 * A tensor in the memory of the process: plain data, the form in which weights are read, written and kept between tasks.
 */

/** The element types that a safetensors file can hold and Cambium reads. */
export type Dtype = "F64" | "F32" | "F16" | "BF16" | "I64" | "I32" | "I16" | "I8" | "U64" | "U32" | "U16" | "U8" | "BOOL";

/** Row-major f32 values; `data.length` is the product of `shape` (1 for a scalar, whose shape is empty). */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** The element type that the file had; absent where the tensor was made here. */
  readonly dtype?: Dtype;
}

/** Tensors by name. */
export type Tensors = ReadonlyMap<string, HostTensor>;

/** The position of the first value that is NaN or infinite; -1 where all are finite. */
export const firstNotFinite = (data: Float32Array | Float64Array): number => {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
};

/** What is wrong with values of which one is NaN or infinite, as a phrase; undefined where all are finite. */
export const notFinite = (data: Float32Array | Float64Array): string | undefined => {
  const at = firstNotFinite(data);
  return at < 0 ? undefined : `is not finite: its element ${at} of ${data.length} is ${data[at]}`;
};

/** The number of elements of a shape; 1 for the empty shape of a scalar. */
export const elements = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);
