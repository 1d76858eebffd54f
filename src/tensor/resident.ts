/** Tensors that stay on the device while several programs use them: the frozen weights of a model. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";

/** Uploaded tensors by name. */
export interface Resident {
  readonly buffers: ReadonlyMap<string, GPUBuffer>;
  readonly release: () => void;
}

/** Uploads tensors; `OverLimit` names the one that does not fit, and nothing stays behind. */
export const resident = (device: Device, tensors: Iterable<readonly [string, { readonly data: Float32Array }]>): E.Either<Failure, Resident> => {
  const buffers = new Map<string, GPUBuffer>();
  const release = (): void => buffers.forEach(device.release);
  for (const [name, { data }] of tensors) {
    const made = device.buffer(name, Math.max(256, Math.ceil(data.byteLength / 256) * 256));
    if (E.isLeft(made)) {
      release();
      return made;
    }
    device.gpu.queue.writeBuffer(made.right, 0, data.buffer, data.byteOffset, data.byteLength);
    buffers.set(name, made.right);
  }
  return E.right({ buffers, release });
};
