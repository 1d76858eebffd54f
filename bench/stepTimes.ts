/** One training step on a device: its time back to back and alone, the host's part, its memory, and where the time goes. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../src/device/device.ts";
import { describe, get, type Failure } from "../src/failure.ts";
import { random } from "../src/random.ts";
import { profiling, type Profile } from "../src/tensor/profile.ts";
import type { Program } from "../src/tensor/program.ts";
import { openSession } from "../src/tensor/session.ts";
import { median } from "./products.ts";
import { weightsOf, works, type Work, type WorkName } from "./steps.ts";

/** What was measured of a step. */
export interface StepTimes {
  /** Milliseconds a step when steps follow each other without waiting. */
  readonly milliseconds: number;
  /** When each is waited for: the median. */
  readonly waiting: number;
  /** Microseconds of the host a launch. */
  readonly host: number;
  /** All that lives on the device for it: weights, states, activations. */
  readonly bytes: number;
  readonly launches: number;
  /** The share of the time in which the device worked, back to back; null without timestamps. */
  readonly busy: number | null;
  readonly profile: Profile;
}

const value = <A>(result: E.Either<Failure, A>): A => {
  if (E.isLeft(result)) throw new Error(describe(result.left));
  return result.right;
};

/** Weights of the work that was timed last: those of a large model take seconds to draw. */
let drawn: { readonly name: WorkName; readonly weights: ReturnType<typeof weightsOf> } | undefined;

const weightsFor = (name: WorkName, work: Work): ReturnType<typeof weightsOf> => {
  if (drawn?.name !== name) drawn = { name, weights: weightsOf(work) };
  return drawn.weights;
};

/** Options of {@link timeStep}. */
export interface StepOptions {
  /** Milliseconds that the steps of each kind take, about. */
  readonly milliseconds?: number;
  readonly recompute?: Program["recompute"];
}

/** Times a step. */
export const timeStep = async (
  device: Device,
  name: WorkName,
  batch: number = works[name].batch,
  { milliseconds = 1500, recompute }: StepOptions = {},
): Promise<StepTimes> => {
  const work = works[name].of(batch);
  const { program: traced, recorder } = value(work.traced(device.precision));
  const program: Program = recompute === undefined ? traced : { ...traced, recompute };
  const weights = weightsFor(name, work);
  const watched = profiling(device, { runs: 2 });
  const before = device.ledger().liveBytes;
  const session = await get(openSession(watched.device, program, { weights, label: `${name}, batch ${batch}` }));
  try {
    value(session.write(work.initial(weights)));
    const inputs = work.data(random(1, "bench"));
    let step = 0;
    const hypers = [...recorder.hypers];
    const run = (): void => {
      const at = Object.fromEntries(hypers.map(([input, schedules]) => [input, Float32Array.from(schedules, (schedule) => schedule(step))]));
      value(session.run(step++ === 0 ? { ...inputs, ...at } : at));
    };
    // The first is what drivers compile in, and two more have their launches timed.
    for (let i = 0; i < 4; i++) run();
    await get(device.settled);
    const alone: number[] = [];
    for (let total = 0; alone.length < 3 || (total < milliseconds && alone.length < 40); total += alone[alone.length - 1]) {
      const start = performance.now();
      run();
      await get(device.settled);
      alone.push(performance.now() - start);
    }
    const waiting = median(alone);
    const runs = Math.max(3, Math.min(60, Math.round(milliseconds / waiting)));
    const start = performance.now();
    for (let i = 0; i < runs; i++) run();
    const host = performance.now() - start;
    await get(device.settled);
    const together = (performance.now() - start) / runs;
    const bytes = device.ledger().liveBytes - before;
    const profile = await get(watched.profile);
    const { milliseconds: worked } = profile.programs[0];
    return {
      ...{ milliseconds: together, waiting, bytes, launches: session.launches, profile },
      host: (1000 * host) / runs / session.launches,
      busy: worked === null ? null : Math.min(1, worked / together),
    };
  } finally {
    session.release();
    watched.release();
  }
};
