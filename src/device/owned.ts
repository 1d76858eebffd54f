/** Buffers that live and die together. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "./device.ts";
import type { Failure } from "../failure.ts";
import type { GPUBuffer } from "../platform/webgpu.ts";

/** Makes buffers of a device and releases all of them at once. */
export interface Owned {
  /** A buffer of at least `bytes`; fails with `OverLimit`. */
  readonly buffer: (label: string, bytes: number, usage?: number) => E.Either<Failure, GPUBuffer>;
  /** Bytes of all buffers made so far. */
  readonly bytes: () => number;
  readonly release: () => void;
}

/** An owner that has no buffers yet. */
export const ownedOn = (device: Device): Owned => {
  const buffers: GPUBuffer[] = [];
  let bytes = 0;
  return {
    buffer: (label, size, usage) =>
      E.map((buffer: GPUBuffer) => {
        buffers.push(buffer);
        bytes += size;
        return buffer;
      })(device.buffer(label, size, usage)),
    bytes: () => bytes,
    release: () => buffers.splice(0).forEach(device.release),
  };
};

/** `bytes`, rounded up to a multiple of `to`, and `to` at least. */
export const roundUp = (bytes: number, to: number): number => Math.max(to, Math.ceil(bytes / to) * to);

/** Bindings start at multiples of this many bytes on every adapter; buffers are as long. */
export const bindingStride = 256;
