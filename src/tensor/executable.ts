/**
 * A program bound to a device: everything it needs made once (`bind.ts`), replayed as often as wanted (`replay.ts`), and read when somebody asks.
 * `session.ts` is the comfortable way to use one.
 */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Device } from "../device/device.ts";
import { ownedOn } from "../device/owned.ts";
import { makeReadback } from "../device/readback.ts";
import type { Resident } from "../device/resident.ts";
import { makeRings, type NumberPlace } from "../device/rings.ts";
import type { Failure } from "../failure.ts";
import { boundsOf } from "../kernels/bounds.ts";
import { measured } from "../kernels/target.ts";
import { bindPlan, type Bound } from "./bind.ts";
import { optimise } from "./passes/optimise.ts";
import { asStored } from "./passes/stored.ts";
import { leafKey, plan, type Extent } from "./plan.ts";
import { matmulShapes, type Program } from "./program.ts";
import { makeReplay, type Replay } from "./replay.ts";

export type { HostData, HostRecord } from "./replay.ts";

/** A program with the device memory that it runs in. */
export interface Executable extends Pick<Replay, "write" | "run"> {
  /** Reads an output of the last run, or a state. Waits for the device. */
  readonly read: (name: string) => TE.TaskEither<Failure, Float32Array>;
  /** The recorded values of the runs since the last call, oldest first: at most those of the last 1,024 runs. */
  readonly recorded: (name: string) => TE.TaskEither<Failure, Float32Array>;
  /** The states, for other programs to share as long as this executable lives. */
  readonly states: Resident;
  /** Bytes of all buffers that this executable owns. */
  readonly bytes: number;
  readonly launches: number;
  readonly release: () => void;
}

const refused = (tensor: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadTensor", path: "program", tensor, detail });

/** Where an output lies, or a state. */
const placeOf = ({ plan: { outputs, leaves, buffers } }: Bound, name: string): Extent | undefined => {
  const output = outputs.get(name);
  if (output !== undefined) return output;
  const state = leaves.get(`state:${name}`);
  return state && { ...state, bytes: buffers[state.buffer].bytes };
};

/** The states of a program where they lie, which their owner releases. */
const statesOf = ({ leaves }: Program, { plan, buffers }: Bound): Resident => ({
  tensors: new Map(
    leaves.flatMap((node) => (node.role === "state" ? [[node.name, { buffer: buffers[plan.leaves.get(leafKey(node))!.buffer], dtype: "f32" }] as const] : [])),
  ),
  release: () => undefined,
});

/** Where the outputs lie that are recorded. Fails with `BadTensor` where one is no output, or more than one number. */
const numbersOf = ({ plan, buffers }: Bound, names: readonly string[]): E.Either<Failure, ReadonlyMap<string, NumberPlace>> => {
  const numbers = new Map<string, NumberPlace>();
  for (const name of names) {
    const output = plan.outputs.get(name);
    if (output === undefined) return refused(name, "is not an output of this program");
    if (output.bytes !== 4) return refused(name, `has ${output.bytes / 4} elements, and only one number a run is recorded`);
    numbers.set(name, { buffer: buffers[output.buffer], offset: output.offset });
  }
  return E.right(numbers);
};

/**
 * Binds a program to a device. Frozen tensors come from `weights`, and so do from `states` those that it shares with other programs; the numbers named in
 * `record` are kept for {@link Executable.recorded}.
 * A profile calls its runs by `label`.
 * Fails with `OverLimit` before anything is dispatched, with `KernelInvalid`, or with `BadTensor` for a frozen tensor that is missing.
 */
export const instantiate = (
  device: Device,
  traced: Program,
  weights?: Resident,
  record: readonly string[] = [],
  states?: Resident,
  label?: string,
): TE.TaskEither<Failure, Executable> => {
  const owned = ownedOn(device);
  const acquire = async (): Promise<E.Either<Failure, Executable>> => {
    const program = optimise(weights === undefined ? traced : asStored(traced, weights), boundsOf(device));
    const target = await measured(device, matmulShapes(program, boundsOf(device)))();
    if (E.isLeft(target)) return target;
    const objects = await bindPlan(device, target.right, program, plan(program, target.right), owned, { weights, states });
    if (E.isLeft(objects)) return objects;
    const bound = objects.right;
    const numbers = numbersOf(bound, record);
    if (E.isLeft(numbers)) return numbers;
    const readback = makeReadback(device);
    const rings = makeRings(numbers.right, owned, readback);
    if (E.isLeft(rings)) return rings;
    const { write, run, runs } = makeReplay(device, bound, rings.right, label);
    return E.right({
      write,
      run,
      read: (name) => {
        const place = placeOf(bound, name);
        if (place === undefined) return TE.fromEither(refused(name, "is neither an output nor a state of this program"));
        return place.bytes === 0 ? TE.right(new Float32Array(0)) : readback.read(bound.buffers[place.buffer], place.offset, place.bytes);
      },
      recorded: (name) => rings.right.read(name, runs()) ?? TE.fromEither(refused(name, "is not recorded")),
      states: statesOf(program, bound),
      bytes: owned.bytes(),
      launches: bound.dispatches.length,
      release: () => {
        readback.release();
        owned.release();
      },
    });
  };
  return async () => {
    const executable = await acquire();
    if (E.isLeft(executable)) owned.release();
    return executable;
  };
};
