/** What lowering depends on, for a device. */
import * as TE from "fp-ts/lib/TaskEither.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Device } from "../device/device.ts";
import type { Bounds } from "./launch.ts";
import { matmulVariants, type MatmulPlan, type MatmulShape } from "./matmul.ts";
import { tuneMatmul, type MatmulChooser } from "./tuner.ts";

/** What lowering may depend on: the adapter, its largest binding, and the choice of matmul. */
export interface Target extends Bounds {
  readonly matmul: (shape: MatmulShape) => MatmulPlan;
}

/** Products of at least so many operations are measured: for smaller ones the best guess costs less than finding a better plan. */
const measuredFrom = 1e9;

/**
 * The target with its larger products measured, once per adapter and shape class; the choices are kept on disk (`tuner.ts`). `lower` names the
 * products by lowering everything once. All plans give the same bits, so what was measured changes the speed alone.
 */
export const measured = (device: Device, lower: (target: Target) => unknown): TaskEither<Failure, Target> => {
  const guess = target(device);
  const large = (s: MatmulShape): boolean => 2 * s.m * s.n * s.k * s.batch >= measuredFrom;
  const shapes: MatmulShape[] = [];
  lower({
    ...guess,
    matmul: (shape) => {
      if (large(shape)) shapes.push(shape);
      return guess.matmul(shape);
    },
  });
  return shapes.length === 0
    ? TE.right(guess)
    : TE.map((choose: MatmulChooser): Target => ({ ...guess, matmul: (shape) => (large(shape) ? choose : guess.matmul)(shape) }))(tuneMatmul(device, shapes));
};

/** Best guesses by shape: a model has few shapes and many products, and ranking the variants of one takes a while. */
const guesses = new WeakMap<Device["adapter"], Map<string, MatmulPlan>>();

const guessed = (adapter: Device["adapter"], shape: MatmulShape): MatmulPlan => {
  const known = guesses.get(adapter) ?? new Map<string, MatmulPlan>();
  guesses.set(adapter, known);
  const key = JSON.stringify(shape);
  const plan = known.get(key) ?? matmulVariants(adapter, shape)[0];
  known.set(key, plan);
  return plan;
};

/** The target that a device is. */
export const target = (device: Device): Target => ({
  adapter: device.adapter,
  maxBinding: Math.floor(device.limits.maxStorageBufferBindingSize / 4),
  matmul: (shape) => guessed(device.adapter, shape),
});
