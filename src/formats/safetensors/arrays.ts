/** The element types of safetensors, and the arrays of JavaScript that hold them. */
import type { Dtype } from "../hostTensor.ts";

/** The bytes of one element. */
export const bytesOf: Readonly<Record<Dtype, number>> = {
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

/** The arrays of JavaScript that hold elements as a file does. */
export const arrayTypes = {
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

/** Whether JavaScript has an array for an element type. */
export const hasArray = (dtype: Dtype): dtype is ArrayDtype => dtype in arrayTypes;

/** The element type of an array of numbers; undefined for all else. */
export const dtypeOf = (value: object): ArrayDtype | undefined =>
  (Object.keys(arrayTypes) as ArrayDtype[]).find((dtype) => Object.getPrototypeOf(value) === arrayTypes[dtype].prototype);

/** Whether an object is an array of numbers that a file can hold as they are. */
export const isNumberArray = (value: object): value is NumberArray => dtypeOf(value) !== undefined;
