/** Tensors that stay on the device while several programs use them: the frozen weights of a model, say, or states. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "./device.ts";
import { bindingStride, ownedOn, roundUp } from "./owned.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";
import type { Failure } from "../failure.ts";
import { toF16 } from "../formats/half.ts";

/** How a resident tensor is stored. */
export type Storage = "f32" | "f16";

/** A tensor on the device. */
export interface ResidentTensor {
  readonly buffer: GPUBuffer;
  readonly dtype: Storage;
}

/** Uploaded tensors by name. */
export interface Resident {
  readonly tensors: ReadonlyMap<string, ResidentTensor>;
  readonly release: () => void;
}

/** The bits of values rounded to f16, in whole words: an odd one out is followed by a zero. */
const halves = (data: Float32Array): Uint16Array => {
  const bits = new Uint16Array(2 * Math.ceil(data.length / 2));
  data.forEach((value, i) => (bits[i] = toF16(value)));
  return bits;
};

/**
 * Uploads tensors, each stored as `storage` says, by default as f32; values that f16 cannot hold become infinite. `OverLimit` names the tensor that does not
 * fit, and nothing stays behind.
 */
export const resident = (
  device: Device,
  values: Iterable<readonly [string, { readonly data: Float32Array }]>,
  storage: (name: string) => Storage = () => "f32",
): E.Either<Failure, Resident> => {
  const tensors = new Map<string, ResidentTensor>();
  const owned = ownedOn(device);
  for (const [name, { data }] of values) {
    const dtype = storage(name);
    const bits = dtype === "f16" ? halves(data) : data;
    const buffer = owned.buffer(name, roundUp(bits.byteLength, bindingStride));
    if (E.isLeft(buffer)) {
      owned.release();
      return buffer;
    }
    device.gpu.queue.writeBuffer(buffer.right, 0, bits.buffer, bits.byteOffset, bits.byteLength);
    tensors.set(name, { buffer: buffer.right, dtype });
  }
  return E.right({ tensors, release: owned.release });
};
