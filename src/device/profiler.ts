/**
 * What is written down of the runs of programs: when the device worked on them, and in some of them when it worked on which launch.
 *
 * The launches and their order stay the same, and so do all bits; a run whose launches are timed one by one takes somewhat longer, because each has a pass of
 * its own.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { GPUCommandEncoder } from "../platform/webgpu.ts";
import type { Device } from "./device.ts";
import type { EncodeLaunches, LaunchCost, Profiler } from "./profiling.ts";
import { makeReadback, type Readback } from "./readback.ts";
import { hasTimestamps, makeTimestamps, type Span, type Timestamps } from "./timestamps.ts";

/** What was written down of a program. Without timestamps there are no spans. */
export interface ProgramRecord {
  readonly label: string;
  readonly launches: readonly LaunchCost[];
  readonly runs: number;
  /** Of each run whose launches were not timed, when the device worked on it. */
  readonly spans: readonly Span[];
  /** Of some runs, the first among them, when it worked on each launch. */
  readonly timed: readonly (readonly Span[])[];
}

/** A profiler, and what it has written down. */
export interface OpenProfiler extends Profiler {
  /** What was written down of all programs so far, in the order of their first runs. Waits for the device. */
  readonly records: TE.TaskEither<Failure, readonly ProgramRecord[]>;
  readonly release: () => void;
}

/** Runs that share room for their timestamps. */
const runsARoom = 1024;

/** A program while it is being written down. */
interface Draft {
  readonly label: string;
  readonly launches: readonly LaunchCost[];
  runs: number;
  readonly timed: Timestamps[];
  readonly whole: Timestamps[];
}

/** Encodes a run with the times of its launches, as long as `runs` are not reached, or with the times of its ends. */
const timedRun = (device: Device, draft: Draft, runs: number, encoder: GPUCommandEncoder, encode: EncodeLaunches): void => {
  const { launches, timed, whole } = draft;
  const one = draft.runs <= runs ? makeTimestamps(device, launches.length) : undefined;
  if (one !== undefined && E.isRight(one)) {
    timed.push(one.right);
    launches.forEach((_, i) => {
      const pass = one.right.pass(encoder);
      encode(pass, i, 1);
      pass.end();
    });
    one.right.resolve(encoder);
    return;
  }
  let room: Timestamps | undefined = whole[whole.length - 1];
  if (room === undefined || room.used() === runsARoom) {
    const more = makeTimestamps(device, runsARoom);
    room = E.isRight(more) ? more.right : undefined;
    if (room !== undefined) whole.push(room);
  }
  const pass = room?.pass(encoder) ?? encoder.beginComputePass();
  encode(pass, 0, launches.length);
  pass.end();
  if (room?.used() === runsARoom) room.resolve(encoder);
};

/** Reads what was written down of a program. */
const recordOf =
  (device: Device, readback: Readback) =>
  ({ label, launches, runs, timed, whole }: Draft): TE.TaskEither<Failure, ProgramRecord> => {
    const last = whole[whole.length - 1];
    if (last !== undefined && last.used() < runsARoom) {
      const encoder = device.gpu.createCommandEncoder();
      last.resolve(encoder);
      device.gpu.queue.submit([encoder.finish()]);
    }
    const all = (some: readonly Timestamps[]) => TE.traverseSeqArray(({ read }: Timestamps) => read(readback))(some);
    return pipe(
      TE.Do,
      TE.bind("timed", () => all(timed)),
      TE.bind("whole", () => all(whole)),
      TE.map(({ timed, whole }) => ({ label, launches, runs, timed, spans: whole.flat() })),
    );
  };

/** A profiler for a device: of every program the first run and `runs` more are timed launch by launch. Without timestamps runs are counted. */
export const makeProfiler = (device: Device, runs = 3): OpenProfiler => {
  const drafts: Draft[] = [];
  const readback = makeReadback(device);
  const times = hasTimestamps(device);
  return {
    program: (label, launches) => {
      const draft: Draft = { label, launches, runs: 0, timed: [], whole: [] };
      return {
        encode: (encoder, encode) => {
          if (draft.runs === 0) drafts.push(draft);
          if (times && launches.length > 0) timedRun(device, draft, runs, encoder, encode);
          else {
            const pass = encoder.beginComputePass();
            encode(pass, 0, launches.length);
            pass.end();
          }
          draft.runs += 1;
        },
      };
    },
    records: () => TE.traverseSeqArray(recordOf(device, readback))(drafts)(),
    release: () => {
      for (const { timed, whole } of drafts) for (const room of [...timed, ...whole]) room.release();
      readback.release();
    },
  };
};
