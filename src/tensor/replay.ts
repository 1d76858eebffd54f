/** Runs a bound program: writes its inputs, encodes its dispatches into one pass and submits. Makes no GPU object and reads nothing back. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import type { Rings } from "../device/rings.ts";
import type { Failure } from "../failure.ts";
import type { LaunchCost } from "../device/profiling.ts";
import { launchCost } from "../kernels/cost.ts";
import { encode } from "../kernels/dispatch.ts";
import type { Bound } from "./bind.ts";
import type { Plan } from "./plan.ts";

/** The elements of a tensor on the host. */
export type HostData = Float32Array | Uint32Array;
/** Host data by the names of tensors. */
export type HostRecord = Readonly<Record<string, HostData>>;

/** A bound program that can be run. */
export interface Replay {
  /** Writes state or inputs; they stay until they are replaced. Fails with `BadTensor` for an unknown name or another length. */
  readonly write: (role: "state" | "input", values: HostRecord) => E.Either<Failure, void>;
  /** Writes the inputs that are given and submits one run. Does not wait. */
  readonly run: (inputs?: HostRecord) => E.Either<Failure, void>;
  /** Runs submitted so far. */
  readonly runs: () => number;
}

/** What the launches of a plan cost. */
export const costsOf = ({ launches }: Plan): readonly LaunchCost[] =>
  launches.map(({ launch, operands }) =>
    launchCost(
      launch,
      operands.map((operand) => operand?.bytes ?? 0),
    ),
  );

/** Makes a bound program ready to run; every run also copies its recorded numbers into their rings. */
export const makeReplay = (device: Device, { plan, buffers, dispatches }: Bound, rings: Rings, label = "a program"): Replay => {
  let runs = 0;
  const profiler = device.profiler?.program(label, costsOf(plan));
  const write: Replay["write"] = (role, values) => {
    for (const [name, data] of Object.entries(values)) {
      const place = plan.leaves.get(`${role}:${name}`);
      if (place === undefined) return E.left({ _tag: "BadTensor", path: "program", tensor: name, detail: `is not a ${role} of this program` });
      const elements = plan.buffers[place.buffer].bytes / 4;
      if (data.length !== elements) {
        return E.left({ _tag: "BadTensor", path: "program", tensor: name, detail: `has ${data.length} elements where ${elements} are expected` });
      }
      device.gpu.queue.writeBuffer(buffers[place.buffer], 0, data.buffer, data.byteOffset, data.byteLength);
    }
    return E.right(undefined);
  };
  const run: Replay["run"] = (inputs = {}) => {
    const failure = device.failure();
    if (failure !== undefined) return E.left(failure);
    const written = write("input", inputs);
    if (E.isLeft(written)) return written;
    const encoder = device.gpu.createCommandEncoder();
    if (profiler === undefined) {
      const pass = encoder.beginComputePass();
      encode(pass, dispatches);
      pass.end();
    } else profiler.encode(encoder, (pass, first, count) => encode(pass, dispatches.slice(first, first + count)));
    rings.copy(encoder, runs);
    device.gpu.queue.submit([encoder.finish()]);
    runs += 1;
    return E.right(undefined);
  };
  return { write, run, runs: () => runs };
};
