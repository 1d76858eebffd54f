/** Numbers that change from step to step, as functions of the number of steps. */
import type { Schedule } from "./tracing.ts";

/** Makes a schedule for a run of so many steps. */
export interface ScheduleOf {
  readonly name: string;
  readonly options: unknown;
  readonly of: (steps: number) => Schedule;
}

/** One value at every step. */
export const constantly = (value: number): ScheduleOf => ({ name: "constant", options: { value }, of: () => () => value });

/**
 * Half a cosine from `peak` at step 0 to 0 after the last, after a linear warm-up of `warmup` steps (METHODS.md A.3 has none).
 *
 * ```ts
 * const lr = cosine(1e-3).of(100);
 * assert.deepEqual([lr(0), lr(50)], [1e-3, 5e-4]);
 * ```
 */
export const cosine = (peak: number, { warmup = 0 }: { readonly warmup?: number } = {}): ScheduleOf => ({
  name: "cosine",
  options: { peak, warmup },
  of: (steps) => (step) =>
    step < warmup ? (peak * (step + 1)) / warmup : 0.5 * (1 + Math.cos((Math.PI * (step - warmup)) / Math.max(1, steps - warmup))) * peak,
});

/** Options of {@link ramp}. */
export interface RampOptions {
  /** The part of the steps that trains densely, without any threshold. Default 0.5. */
  readonly dense?: number;
  /** Levels of the ramp, the first of which is 0. Default 50. */
  readonly levels?: number;
  /** The number of steps that the ramp was written for. Default 500. */
  readonly reference?: number;
  /** Keep the sum of all thresholds for every number of steps. Default true. */
  readonly scaled?: boolean;
}

/** The thresholds of CoDyRA's loop for its own number of steps, 0 where it does not shrink (METHODS.md A.3). */
const referenceRamp = (peak: number, dense: number, levels: number, steps: number): readonly number[] => {
  const start = dense * steps;
  const every = Math.max(1, Math.floor((steps - start) / levels));
  let level = 0;
  return Array.from({ length: steps }, (_, it) => {
    if (it >= start && it % every === 0) level += 1;
    return it > start ? (peak * Math.min(levels - 1, level)) / (levels - 1) : 0;
  });
};

/**
 * CoDyRA's threshold: 0 while training is dense, then a ramp up to `peak` (arXiv 2412.01004; METHODS.md A.3).
 *
 * For another number of steps than `reference`, step i stands for the iterations [reference · i / steps, reference · (i + 1) / steps) and
 * shrinks by all that they shrink by: the ramp keeps its shape and its sum. `scaled: false` takes their mean instead, so that the
 * largest threshold stays `peak` and the sum grows with the steps.
 *
 * ```ts
 * const kappa = ramp(0.005).of(500);
 * assert.deepEqual([kappa(0), kappa(250), kappa(499)], [0, 0, 0.005]);
 * ```
 */
export const ramp = (peak: number, { dense = 0.5, levels = 50, reference = 500, scaled = true }: RampOptions = {}): ScheduleOf => ({
  name: "ramp",
  options: { peak, dense, levels, reference, scaled },
  of: (steps) => {
    const thresholds = referenceRamp(peak, dense, levels, reference);
    if (steps === reference) return (step) => thresholds[step] ?? 0;
    const sums = thresholds.reduce<readonly number[]>((s, k) => [...s, s[s.length - 1] + k], [0]);
    const until = (x: number): number => {
      const whole = Math.min(Math.floor(x), reference);
      return sums[whole] + (x - whole) * (thresholds[whole] ?? 0);
    };
    const ratio = reference / steps;
    return (step) => (until((step + 1) * ratio) - until(step * ratio)) / (scaled ? 1 : ratio);
  },
});
