/** When compute passes began and ended, by the device's own clock. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { GPUCommandEncoder, GPUComputePassEncoder, GPUQuerySet } from "../platform/webgpu.ts";
import type { Device } from "./device.ts";
import { ownedOn } from "./owned.ts";
import type { Readback } from "./readback.ts";
import { bufferUsage } from "./usage.ts";

/** When a pass began and ended, in milliseconds of the device's clock. */
export interface Span {
  readonly begin: number;
  readonly end: number;
}

/** Timestamps for so many passes. */
export interface Timestamps {
  /** Begins the next pass; both its ends are written down. */
  readonly pass: (encoder: GPUCommandEncoder) => GPUComputePassEncoder;
  /** Passes that were begun. */
  readonly used: () => number;
  /** Encodes, behind the last pass, what makes the timestamps readable. */
  readonly resolve: (encoder: GPUCommandEncoder) => void;
  /** The spans of all passes that were begun, in their order. Waits for the device. */
  readonly read: (readback: Readback) => TE.TaskEither<Failure, readonly Span[]>;
  readonly release: () => void;
}

/** Whether a device was given timestamps. */
export const hasTimestamps = ({ adapter }: Pick<Device, "adapter">): boolean => adapter.features.has("timestamp-query");

/** Passes of one set of queries: WebGPU allows 4,096 queries in a set. */
const passesASet = 2048;

/** Bytes of the two timestamps of a pass. */
const passBytes = 16;

/** Makes room for the timestamps of so many passes, on a device that has them. Fails with `OverLimit`. */
export const makeTimestamps = (device: Device, passes: number): E.Either<Failure, Timestamps> => {
  const owned = ownedOn(device);
  return pipe(
    owned.buffer("timestamps", passBytes * passes, bufferUsage.queryResolve),
    E.map((buffer) => {
      const sets = Array.from({ length: Math.ceil(passes / passesASet) }, (_, i): GPUQuerySet => {
        const count = 2 * Math.min(passesASet, passes - i * passesASet);
        return device.gpu.createQuerySet({ type: "timestamp", count });
      });
      device.count(sets.length);
      let used = 0;
      const spansOf = (words: Float32Array): readonly Span[] => {
        const times = new BigUint64Array(words.buffer, words.byteOffset, words.length / 2);
        const milliseconds = (i: number): number => Number(times[i]) / 1e6;
        return Array.from({ length: times.length / 2 }, (_, i) => ({ begin: milliseconds(2 * i), end: milliseconds(2 * i + 1) }));
      };
      return {
        pass: (encoder) => {
          const [querySet, first] = [sets[Math.floor(used / passesASet)], 2 * (used % passesASet)];
          used += 1;
          return encoder.beginComputePass({ timestampWrites: { querySet, beginningOfPassWriteIndex: first, endOfPassWriteIndex: first + 1 } });
        },
        used: () => used,
        resolve: (encoder) => {
          sets.forEach((set, i) => {
            const count = Math.min(set.count, 2 * used - 2 * passesASet * i);
            if (count > 0) encoder.resolveQuerySet(set, 0, count, buffer, passBytes * passesASet * i);
          });
        },
        read: (readback) => (used === 0 ? TE.right([]) : pipe(readback.read(buffer, 0, passBytes * used), TE.map(spansOf))),
        release: () => {
          sets.forEach((set) => set.destroy());
          owned.release();
        },
      };
    }),
  );
};
