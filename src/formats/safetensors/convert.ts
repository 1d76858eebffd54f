/** The elements of a file as f32. */
import { fromBf16, fromF16 } from "../half.ts";
import type { Dtype } from "../hostTensor.ts";
import { arrayTypes } from "./arrays.ts";

/** Little-endian bytes of `dtype` as f32; integers beyond 2^24 are rounded. */
export const toFloat32 = (dtype: Dtype, bytes: Uint8Array): Float32Array => {
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
