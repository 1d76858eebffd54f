/** Numbers that every run leaves behind: one ring on the device for each, which is read when somebody asks. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { GPUBuffer, GPUCommandEncoder } from "../platform/webgpu.ts";
import type { Owned } from "./owned.ts";
import type { Readback } from "./readback.ts";

/** Runs whose recorded values the device keeps. */
export const ringLength = 1024;

/** One f32 on the device: a buffer, and an offset in bytes. */
export interface NumberPlace {
  readonly buffer: GPUBuffer;
  readonly offset: number;
}

/** The rings of the numbers that are recorded. */
export interface Rings {
  /** Encodes the copies of one run. */
  readonly copy: (encoder: GPUCommandEncoder, run: number) => void;
  /**
   * The values of a number in those of the `runs` runs so far that were not read before, oldest first: the last {@link ringLength} at most. Undefined for a
   * number that is not recorded.
   */
  readonly read: (name: string, runs: number) => TaskEither<Failure, Float32Array> | undefined;
}

/** Makes a ring for each of the numbers. Fails with `OverLimit`. */
export const makeRings = (numbers: ReadonlyMap<string, NumberPlace>, owned: Owned, readback: Readback): E.Either<Failure, Rings> => {
  const rings = new Map<string, { readonly from: NumberPlace; readonly ring: GPUBuffer; read: number }>();
  for (const [name, from] of numbers) {
    const ring = owned.buffer(`ring of ${name}`, 4 * ringLength);
    if (E.isLeft(ring)) return ring;
    rings.set(name, { from, ring: ring.right, read: 0 });
  }
  return E.right({
    copy: (encoder, run) => rings.forEach(({ from, ring }) => encoder.copyBufferToBuffer(from.buffer, from.offset, ring, 4 * (run % ringLength), 4)),
    read: (name, runs) => {
      const entry = rings.get(name);
      if (entry === undefined) return undefined;
      const first = Math.max(entry.read, runs - ringLength);
      entry.read = runs;
      return async () =>
        E.map((values: Float32Array) => Float32Array.from({ length: runs - first }, (_, i) => values[(first + i) % ringLength]))(
          await readback.read(entry.ring, 0, 4 * ringLength)(),
        );
    },
  });
};
