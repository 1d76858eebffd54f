/**
 * What the host does for a training step: its time a launch, without any work of a device.
 *
 *     npm run bench:encode -- [nano|b16|…] [batch] [steps]
 *
 * A step of bench/steps.ts is bound on Dawn's null backend, which runs nothing, and submitted many times. `every launch` sets pipeline, bind group and grid anew
 * for each launch; `replay` encodes as a run does; `run` is a whole run, with the writes of its inputs and the submission. Medians, in one process, in turns.
 */
import * as E from "fp-ts/lib/Either.js";
import { create } from "webgpu";
import { descriptorOf } from "../src/device/adapter.ts";
import { wrapDevice } from "../src/device/wrap.ts";
import type { Device } from "../src/device/device.ts";
import { ownedOn } from "../src/device/owned.ts";
import { resident } from "../src/device/resident.ts";
import { makeRings } from "../src/device/rings.ts";
import { makeReadback } from "../src/device/readback.ts";
import { describe, type Failure } from "../src/failure.ts";
import { boundsOf } from "../src/kernels/bounds.ts";
import { encode, type Dispatch } from "../src/kernels/dispatch.ts";
import { target } from "../src/kernels/target.ts";
import type { GPU, GPUComputePassEncoder } from "../src/platform/webgpu.ts";
import { random } from "../src/random.ts";
import { bindPlan } from "../src/tensor/bind.ts";
import { optimise } from "../src/tensor/passes/optimise.ts";
import { plan } from "../src/tensor/plan.ts";
import { makeReplay } from "../src/tensor/replay.ts";
import { given } from "./arguments.ts";
import { stepOperands, weightsOf, works } from "./steps.ts";

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

const median = (values: readonly number[]): number => [...values].sort((x, y) => x - y)[Math.floor(values.length / 2)];

/** A device that runs nothing. */
const nullDevice = async (dawn: GPU): Promise<Device> => {
  const adapter = await dawn.requestAdapter();
  if (adapter === null) throw new Error("this Dawn has no null backend");
  return wrapDevice(await adapter.requestDevice(descriptorOf(adapter, false)));
};

/** Milliseconds in which commands are encoded, finished and submitted. */
const timed = (device: Device, of: (pass: GPUComputePassEncoder) => void): number => {
  const start = performance.now();
  const encoder = device.gpu.createCommandEncoder();
  const pass = encoder.beginComputePass();
  of(pass);
  pass.end();
  device.gpu.queue.submit([encoder.finish()]);
  return performance.now() - start;
};

const everyLaunch = (dispatches: readonly Dispatch[]) => (pass: GPUComputePassEncoder) => {
  for (const dispatch of dispatches) encode(pass, [dispatch]);
};

const { name, batch, steps: count = 100 } = given({ called: "npm run bench:encode -- [name] [batch] [steps]", operands: stepOperands("b16", "100") });
const { of, ...usual } = works[name];
const work = of(batch ?? usual.batch);
const { program: traced, recorder } = value(work.traced());

// A variable holds the instance: Dawn dies with it.
const dawn = create(["backend=null", "enable-dawn-features=allow_unsafe_apis"]) as unknown as GPU;
const device = await nullDevice(dawn);
const program = optimise(traced, boundsOf(device));
const owned = ownedOn(device);
const weights = value(resident(device, weightsOf(work)));
const bound = value(await bindPlan(device, target(device), program, plan(program, target(device)), owned, { weights }));
const { run, write } = makeReplay(device, bound, value(makeRings(new Map(), owned, makeReadback(device))));
value(write("input", work.data(random(1, "bench"))));
const hypers = [...recorder.hypers];
const runOnce = (at: number): number => {
  const start = performance.now();
  value(run(Object.fromEntries(hypers.map(([input, schedules]) => [input, Float32Array.from(schedules, (f) => f(at))]))));
  return performance.now() - start;
};
const times: Record<"every launch" | "replay" | "run", number[]> = { "every launch": [], replay: [], run: [] };
for (let i = 0; i < count; i++) {
  times["every launch"].push(timed(device, everyLaunch(bound.dispatches)));
  times.replay.push(timed(device, (pass) => encode(pass, bound.dispatches)));
  times.run.push(runOnce(i));
  await device.settled();
}
const launches = bound.dispatches.length;
console.log(`${name}, ${work.told}: ${launches} launches, ${dawn === undefined ? "" : device.adapter.line}`);
for (const [what, all] of Object.entries(times)) {
  const ms = median(all);
  console.log(
    `${what.padEnd(12)} ${ms.toFixed(2)} ms, ${((1000 * ms) / launches).toFixed(2)} us a launch, ${(ms / median(times["every launch"])).toFixed(2)} of every launch`,
  );
}
