/** Measures plans of one product on a device, in turns so that they share the machine's moods. */
import * as E from "fp-ts/lib/Either.js";
import type { Device } from "../device/device.ts";
import { ownedOn, type Owned } from "../device/owned.ts";
import type { Failure } from "../failure.ts";
import { encode, makeDispatches, type Binding } from "./dispatch.ts";
import { matmulDims, type MatmulPlan, type MatmulShape } from "./matmul.ts";
import { partialElements } from "./split.ts";

/** A plan must be this much faster than the first one to be preferred: less is noise. */
const margin = 0.95;

/** Milliseconds that a measured submission should take: a GPU runs many of a product in a few, and a program has tens of classes of products. */
const submission = { cpu: 10, gpu: 4 };

/** Elements that an operand spans, from the first matrix's first to the last one's last. */
const span = (s: MatmulShape, rows: number, columns: number, ld: number, outer: number, head: number, share = 1): number =>
  (Math.ceil(s.batch / s.heads) - 1) * outer + (Math.ceil(Math.min(s.batch, s.heads) / share) - 1) * head + (rows - 1) * ld + columns;

/** Elements of the operands of a product, in the order of their bindings; undefined for those that it does not have. C of a split product has all parts. */
export const operandSizes = (s: MatmulShape): readonly (number | undefined)[] => [
  span(s, s.ta ? s.k : s.m, s.ta ? s.m : s.k, s.lda, s.aOuter, s.aHead),
  span(s, s.tb ? s.n : s.k, s.tb ? s.k : s.n, s.ldb, s.bOuter, s.bHead, s.share),
  s.parts === undefined ? span(s, s.m, s.n, s.ldc, s.cOuter, s.cHead) : partialElements(s, s.parts),
  s.bias ? s.n : undefined,
  s.lowRank ? s.m * s.r : undefined,
  s.lowRank ? s.n * s.r : undefined,
];

/** Milliseconds of a run among `times` runs in one submission. */
type Run = (times: number) => Promise<E.Either<Failure, number>>;

const prepare = async (
  device: Device,
  shape: MatmulShape,
  plan: MatmulPlan,
  bindings: readonly (Binding | undefined)[],
  owned: Owned,
): Promise<E.Either<Failure, Run>> => {
  const dispatches = await makeDispatches(device, [{ launch: { ...plan, dims: matmulDims(shape) }, bindings }], owned);
  if (E.isLeft(dispatches)) return dispatches;
  return E.right(async (times) => {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    encode(pass, new Array(times).fill(dispatches.right[0]));
    pass.end();
    const start = performance.now();
    device.gpu.queue.submit([encoder.finish()]);
    const done = await device.settled();
    return E.isLeft(done) ? done : E.right((performance.now() - start) / times);
  });
};

/** A plan that is being measured. */
interface Entrant {
  readonly plan: MatmulPlan;
  readonly run: Run;
  readonly times: number;
  best: number;
}

const enter = async (
  device: Device,
  shape: MatmulShape,
  plan: MatmulPlan,
  bindings: readonly (Binding | undefined)[],
  owned: Owned,
): Promise<E.Either<Failure, Entrant>> => {
  const run = await prepare(device, shape, plan, bindings, owned);
  if (E.isLeft(run)) return run;
  // The first run also compiles, on some drivers.
  const first = await run.right(1);
  const second = E.isLeft(first) ? first : await run.right(1);
  if (E.isLeft(second)) return second;
  const times = Math.max(1, Math.min(100, Math.round(submission[device.adapter.kind] / Math.max(second.right, 0.01))));
  return E.right({ plan, run: run.right, times, best: Infinity });
};

/** The fastest of the plans for a shape, or the first where none is clearly faster; undefined where the operands are too large to try. */
export const fastestPlan = async (device: Device, shape: MatmulShape, plans: readonly MatmulPlan[]): Promise<E.Either<Failure, MatmulPlan | undefined>> => {
  const sizes = operandSizes(shape);
  if (sizes.some((elements = 0) => 4 * elements > device.limits.maxStorageBufferBindingSize)) return E.right(undefined);
  const owned = ownedOn(device);
  try {
    const bindings: (Binding | undefined)[] = [];
    for (const elements of sizes) {
      const buffer = elements === undefined ? undefined : owned.buffer("tuner", 4 * Math.max(1, elements));
      // Too large to try: not a failure of the program that asks.
      if (buffer !== undefined && E.isLeft(buffer)) return E.right(undefined);
      bindings.push(buffer && { buffer: buffer.right });
    }
    const entrants: Entrant[] = [];
    for (const plan of plans) {
      const entrant = await enter(device, shape, plan, bindings, owned);
      if (E.isLeft(entrant)) return entrant;
      entrants.push(entrant.right);
    }
    for (let round = 0; round < 3; round++) {
      for (const entrant of entrants) {
        const time = await entrant.run(entrant.times);
        if (E.isLeft(time)) return time;
        entrant.best = Math.min(entrant.best, time.right);
      }
    }
    const winner = entrants.reduce((x, y) => (y.best < x.best ? y : x));
    return E.right((winner.best < margin * entrants[0].best ? winner : entrants[0]).plan);
  } finally {
    owned.release();
  }
};
