/** Tensors that stay on the device while several programs use them: the frozen weights of a model, say, or states. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "./device.ts";
import { bindingStride, ownedOn, roundUp } from "./owned.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";
import type { Failure } from "../failure.ts";
import { halfWords } from "../formats/half.ts";

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
    const bits = dtype === "f16" ? halfWords(data) : data;
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
