/** Numbers that every run leaves behind: one ring on the device for each, which is read when somebody asks. */
import * as E from "fp-ts/lib/Either.js";
import type { Owned } from "../device/owned.ts";
import type { GPUBuffer, GPUCommandEncoder } from "../platform/webgpu.ts";
import type { Failure } from "../failure.ts";
import type { Bound } from "./bind.ts";

/** Runs whose recorded values the device keeps. */
export const ringLength = 1024;

/** The rings of the outputs that are recorded. */
export interface Rings {
  /** Encodes the copies of one run. */
  readonly copy: (encoder: GPUCommandEncoder, run: number) => void;
  /** The ring of an output; undefined where it is not recorded. */
  readonly of: (name: string) => GPUBuffer | undefined;
  /** The first of the `runs` runs that has not been taken yet and is still there; counts them all as taken. */
  readonly take: (name: string, runs: number) => number;
}

/** Makes a ring for each of the named outputs. Fails with `BadTensor` where one is no output, or more than one number. */
export const makeRings = ({ plan, buffers }: Bound, names: readonly string[], owned: Owned): E.Either<Failure, Rings> => {
  const rings = new Map<string, GPUBuffer>();
  for (const name of names) {
    const bytes = plan.outputs.get(name)?.bytes;
    if (bytes !== 4) {
      const detail = bytes === undefined ? "is not an output of this program" : `has ${bytes / 4} elements, and only one number a run is recorded`;
      return E.left({ _tag: "BadTensor", path: "program", tensor: name, detail });
    }
    const ring = owned.buffer(`ring of ${name}`, 4 * ringLength);
    if (E.isLeft(ring)) return ring;
    rings.set(name, ring.right);
  }
  const taken = new Map<string, number>();
  return E.right({
    copy: (encoder, run) =>
      rings.forEach((ring, name) => {
        const { buffer, offset } = plan.outputs.get(name)!;
        encoder.copyBufferToBuffer(buffers[buffer], offset, ring, 4 * (run % ringLength), 4);
      }),
    of: (name) => rings.get(name),
    take: (name, runs) => {
      const first = Math.max(taken.get(name) ?? 0, runs - ringLength);
      taken.set(name, runs);
      return first;
    },
  });
};
