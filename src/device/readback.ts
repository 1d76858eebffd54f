/** Reads numbers back from buffers of a device, through one staging buffer that grows to the largest read. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Device } from "./device.ts";
import { bufferUsage, mapMode } from "./usage.ts";
import type { Failure } from "../failure.ts";
import { bindingStride, roundUp } from "./owned.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";

/** A reader of buffers. */
export interface Readback {
  /** Reads `bytes` of a buffer from `offset` on, as f32, once everything submitted has run. */
  readonly read: (buffer: GPUBuffer, offset: number, bytes: number) => TaskEither<Failure, Float32Array>;
  readonly release: () => void;
}

/** A reader that has read nothing yet. Reads wait for one another: they share the staging buffer. */
export const makeReadback = (device: Device): Readback => {
  let staging: GPUBuffer | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const grown = (bytes: number): E.Either<Failure, GPUBuffer> => {
    if (staging !== undefined && staging.size >= bytes) return E.right(staging);
    if (staging !== undefined) device.release(staging);
    const larger = device.buffer("staging", roundUp(bytes, bindingStride), bufferUsage.mapRead);
    staging = E.isRight(larger) ? larger.right : undefined;
    return larger;
  };
  const readNow = async (buffer: GPUBuffer, offset: number, bytes: number): Promise<E.Either<Failure, Float32Array>> => {
    const target = grown(bytes);
    if (E.isLeft(target)) return target;
    const encoder = device.gpu.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, target.right, 0, bytes);
    device.gpu.queue.submit([encoder.finish()]);
    const settled = await device.settled();
    if (E.isLeft(settled)) return settled;
    try {
      await target.right.mapAsync(mapMode.read, 0, bytes);
      const data = new Float32Array(target.right.getMappedRange(0, bytes).slice(0));
      target.right.unmap();
      return E.right(data);
    } catch (error) {
      return E.left(device.failure() ?? { _tag: "DeviceLost", adapter: device.adapter.line, reason: String(error) });
    }
  };
  return {
    read: (buffer, offset, bytes) => () => {
      const result = last.then(() => readNow(buffer, offset, bytes));
      last = result.catch(() => undefined);
      return result;
    },
    release: () => {
      if (staging !== undefined) device.release(staging);
      staging = undefined;
    },
  };
};
