/** Tensors that stay on the device while several programs use them: the frozen weights of a model, say, or states. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "./device.ts";
import { bindingStride, ownedOn, roundUp } from "./owned.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";
import type { Failure } from "../failure.ts";
import { halfWords } from "../formats/half.ts";

/** How a resident tensor is stored. */
export type Storage = "f32" | "f16";

/** How a parameter of a shape is stored, where matrices are stored so: what has one dimension, such as the gains of norms, is small and stays f32. */
export const storageOf = (shape: readonly number[], storage: Storage): Storage => (shape.length > 1 ? storage : "f32");

/** The largest number that f16 holds. */
const largestHalf = 65504;

/** A tensor that is uploaded. */
export interface Uploaded {
  readonly data: Float32Array;
  readonly shape?: readonly number[];
}

/** How a device stores weights: in mixed precision matrices as f16, unless they hold what that cannot. */
export const storageOn =
  ({ precision }: Pick<Device, "precision">) =>
  (_: string, { shape = [], data }: Uploaded): Storage =>
    precision === "mixed" && data.every((x) => Math.abs(x) <= largestHalf) ? storageOf(shape, "f16") : "f32";

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
 * Uploads tensors, each stored as `storage` says, where values that f16 cannot hold become infinite; by default as f32, and on a device of mixed precision
 * matrices as f16 that it can hold. `OverLimit` names the tensor that does not fit, and nothing stays behind.
 */
export const resident = (
  device: Device,
  values: Iterable<readonly [string, Uploaded]>,
  storage: (name: string, tensor: Uploaded) => Storage = storageOn(device),
): E.Either<Failure, Resident> => {
  const tensors = new Map<string, ResidentTensor>();
  const owned = ownedOn(device);
  for (const [name, tensor] of values) {
    const { data } = tensor;
    const dtype = storage(name, tensor);
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
