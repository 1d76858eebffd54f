/**
 * A program bound to a device: everything it needs made once (`bind.ts`), replayed as often as wanted (`replay.ts`), and read when somebody asks
 * (`readback.ts`). `session.ts` is the comfortable way to use one.
 */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Device } from "../device/device.ts";
import { ownedOn } from "../device/owned.ts";
import { makeReadback } from "../device/readback.ts";
import type { Failure } from "../failure.ts";
import { boundsOf } from "../kernels/bounds.ts";
import { measured } from "../kernels/target.ts";
import { bindPlan, type Bound } from "./bind.ts";
import { plan, type Extent } from "./plan.ts";
import { matmulShapes, type Program } from "./program.ts";
import { makeReplay, type Replay } from "./replay.ts";
import { resident, type Resident } from "./resident.ts";
import { makeRings, ringLength } from "./rings.ts";

export type { HostData, HostRecord } from "./replay.ts";
export { ringLength } from "./rings.ts";

/** A program with the device memory that it runs in. */
export interface Executable extends Pick<Replay, "write" | "run"> {
  /** Reads an output of the last run, or a state. Waits for the device. */
  readonly read: (name: string) => TE.TaskEither<Failure, Float32Array>;
  /** The recorded values of the runs since the last call, oldest first: at most the last {@link ringLength}. */
  readonly recorded: (name: string) => TE.TaskEither<Failure, Float32Array>;
  /** Bytes of all buffers that this executable owns. */
  readonly bytes: number;
  readonly launches: number;
  readonly release: () => void;
}

/** Where an output lies, or a state. */
const placeOf = ({ plan: { outputs, leaves, buffers } }: Bound, name: string): Extent | undefined => {
  const output = outputs.get(name);
  if (output !== undefined) return output;
  const state = leaves.get(`state:${name}`);
  return state && { ...state, bytes: buffers[state.buffer].bytes };
};

/**
 * Binds a program to a device. Frozen tensors come from `weights`; the numbers named in `record` are kept for {@link Executable.recorded}.
 * Fails with `OverLimit` before anything is dispatched, with `KernelInvalid`, or with `BadTensor` for a frozen tensor that is missing.
 */
export const instantiate = (device: Device, program: Program, weights?: Resident, record: readonly string[] = []): TE.TaskEither<Failure, Executable> => {
  const owned = ownedOn(device);
  const acquire = async (): Promise<E.Either<Failure, Executable>> => {
    const target = await measured(device, matmulShapes(program, boundsOf(device)))();
    if (E.isLeft(target)) return target;
    const made = await bindPlan(device, target.right, program, plan(program, target.right), owned, weights);
    if (E.isLeft(made)) return made;
    const bound = made.right;
    const rings = makeRings(bound, record, owned);
    if (E.isLeft(rings)) return rings;
    const { write, run, runs } = makeReplay(device, bound, rings.right);
    const readback = makeReadback(device);

    const read: Executable["read"] = (name) => {
      const place = placeOf(bound, name);
      if (place === undefined) return TE.left({ _tag: "BadTensor", path: "program", tensor: name, detail: "is neither an output nor a state of this program" });
      return place.bytes === 0 ? TE.right(new Float32Array(0)) : readback.read(bound.buffers[place.buffer], place.offset, place.bytes);
    };
    const recorded: Executable["recorded"] = (name) => {
      const ring = rings.right.of(name);
      if (ring === undefined) return TE.left({ _tag: "BadTensor", path: "program", tensor: name, detail: "is not recorded" });
      const until = runs();
      const first = rings.right.take(name, until);
      return pipe(
        readback.read(ring, 0, 4 * ringLength),
        TE.map((values) => Float32Array.from({ length: until - first }, (_, i) => values[(first + i) % ringLength])),
      );
    };
    return E.right({
      write,
      run,
      read,
      recorded,
      bytes: owned.bytes(),
      launches: bound.dispatches.length,
      release: () => {
        readback.release();
        owned.release();
      },
    });
  };
  return async () => {
    const made = await acquire();
    if (E.isLeft(made)) owned.release();
    return made;
  };
};

/**
 * Like {@link instantiate}, for a program that is alone with its weights: uploads the frozen tensors that it uses and releases them with it.
 */
export const bind =
  (
    device: Device,
    program: Program,
    weights: Iterable<readonly [string, { readonly data: Float32Array }]>,
    record: readonly string[] = [],
  ): TE.TaskEither<Failure, Executable> =>
  async () => {
    const used = new Set(program.leaves.filter((l) => l.role === "frozen").map((l) => l.name));
    const uploaded = resident(
      device,
      [...weights].filter(([name]) => used.has(name)),
    );
    if (E.isLeft(uploaded)) return uploaded;
    const { release } = uploaded.right;
    const made = await instantiate(device, program, uploaded.right, record)();
    if (E.isLeft(made)) {
      release();
      return made;
    }
    return E.right({
      ...made.right,
      release: () => {
        made.right.release();
        release();
      },
    });
  };
