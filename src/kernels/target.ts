/** What lowering depends on, for a device. */
import * as TE from "fp-ts/lib/TaskEither.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Device } from "../device/device.ts";
import { boundsOf, type Bounds } from "./bounds.ts";
import { matmulWork, multiplied, type MatmulPlan, type MatmulShape } from "./matmul.ts";
import { tuneMatmul, type MatmulChooser } from "./tuner.ts";
import { bestGuess } from "./variants.ts";

/** What lowering may depend on: the adapter, its largest binding, and the choice of matmul. */
export interface Target extends Bounds {
  readonly matmul: (shape: MatmulShape) => MatmulPlan;
}

/** Products of at least so many operations are measured: for smaller ones the best guess costs less than finding a better plan. */
const measuredFrom = 1e9;

/**
 * The target for a program with the given products: the larger ones are measured, once per adapter and shape class, and the choices are kept on disk
 * (`tuner.ts`). All plans give the same bits, so what was measured changes the speed alone.
 */
export const measured = (device: Device, shapes: readonly MatmulShape[]): TaskEither<Failure, Target> => {
  const guess = target(device);
  const isLarge = (s: MatmulShape): boolean => 2 * matmulWork(s) >= measuredFrom;
  const large = shapes.filter(isLarge).map((shape) => multiplied(device.precision, shape));
  return large.length === 0
    ? TE.right(guess)
    : TE.map((choose: MatmulChooser): Target => ({ ...guess, matmul: (shape) => (isLarge(shape) ? choose : guess.matmul)(shape) }))(tuneMatmul(device, large));
};

/** Best guesses by shape: a model has few shapes and many products, and ranking the variants of one takes a while. */
const guesses = new WeakMap<Device["adapter"], Map<string, MatmulPlan>>();

const guessed = ({ adapter, workgroupBytes }: Bounds, shape: MatmulShape): MatmulPlan => {
  const plans = guesses.get(adapter) ?? new Map<string, MatmulPlan>();
  guesses.set(adapter, plans);
  const key = JSON.stringify(shape);
  const plan = plans.get(key) ?? bestGuess(adapter, shape, workgroupBytes);
  plans.set(key, plan);
  return plan;
};

/** A target of which the bounds alone are known, with the best guess for every product: nothing is opened or measured. */
export const described = (bounds: Bounds): Target => ({ ...bounds, matmul: (shape) => guessed(bounds, shape) });

/** The target that a device is, with the best guess for every product. */
export const target = (device: Device): Target => described(boundsOf(device));
