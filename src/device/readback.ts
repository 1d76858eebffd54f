/** Reads numbers back from buffers of a device, through staging buffers that are used again. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Device } from "./device.ts";
import { bufferUsage, mapMode } from "./usage.ts";
import type { Failure } from "../failure.ts";
import { bindingStride, roundUp } from "./owned.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";

/** A reader of buffers. */
export interface Readback {
  /** Reads `bytes` of a buffer from `offset` on, as f32: as they are once what was submitted so far has run, whatever is submitted meanwhile. */
  readonly read: (buffer: GPUBuffer, offset: number, bytes: number) => TaskEither<Failure, Float32Array>;
  readonly release: () => void;
}

/** A reader that has read nothing yet. Reads that wait at the same time have a staging buffer each. */
export const makeReadback = (device: Device): Readback => {
  const free: GPUBuffer[] = [];
  let released = false;
  const taken = (bytes: number): E.Either<Failure, GPUBuffer> => {
    const last = free.pop();
    if (last !== undefined && last.size >= bytes) return E.right(last);
    if (last !== undefined) device.release(last);
    return device.buffer("staging", roundUp(bytes, bindingStride), bufferUsage.mapRead);
  };
  const read =
    (buffer: GPUBuffer, offset: number, bytes: number): TaskEither<Failure, Float32Array> =>
    async () => {
      const staging = taken(bytes);
      if (E.isLeft(staging)) return staging;
      try {
        const encoder = device.gpu.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, offset, staging.right, 0, bytes);
        device.gpu.queue.submit([encoder.finish()]);
        const settled = await device.settled();
        if (E.isLeft(settled)) return settled;
        await staging.right.mapAsync(mapMode.read, 0, bytes);
        const data = new Float32Array(staging.right.getMappedRange(0, bytes).slice(0));
        staging.right.unmap();
        return E.right(data);
      } catch (error) {
        return E.left(device.failure() ?? { _tag: "DeviceLost", adapter: device.adapter.line, reason: String(error) });
      } finally {
        if (released) device.release(staging.right);
        else free.push(staging.right);
      }
    };
  return {
    read,
    release: () => {
      released = true;
      free.splice(0).forEach(device.release);
    },
  };
};
