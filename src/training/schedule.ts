/** Numbers that change from step to step, as functions of the number of steps. */
import type { Schedule } from "./tracing.ts";

/** Makes a schedule for a run of so many steps, of the task at a position of its stream. */
export interface ScheduleOf {
  readonly name: string;
  readonly options: unknown;
  readonly of: (steps: number, position?: number) => Schedule;
}

/** One value at every step. */
export const constantly = (value: number): ScheduleOf => ({ name: "constant", options: { value }, of: () => () => value });

/** Options of {@link cosine}. */
export interface CosineOptions {
  /** Steps of a linear warm-up, or their share of all, rounded up. Default 0. */
  readonly warmup?: number | { readonly share: number };
  /** The value that it falls to. Default 0. */
  readonly floor?: number;
  /** Whether the last step has the value `floor`, as in DAC, or the one after it would. Default false. */
  readonly reached?: boolean;
}

/**
 * Half a cosine from `peak` at step 0 to 0 after the last, after a linear warm-up of `warmup` steps (METHODS.md A.3; with a floor METHODS.md C.3.3).
 *
 * ```ts
 * const lr = cosine(1e-3).of(100);
 * assert.deepEqual([lr(0), lr(50)], [1e-3, 5e-4]);
 * assert.equal(cosine(2e-3, { floor: 1e-6, reached: true }).of(501)(500), 1e-6);
 * ```
 */
export const cosine = (peak: number, { warmup = 0, floor = 0, reached = false }: CosineOptions = {}): ScheduleOf => ({
  name: "cosine",
  options: { peak, warmup, floor, reached },
  of: (steps) => {
    const rising = typeof warmup === "number" ? warmup : Math.ceil(warmup.share * steps);
    const falling = Math.max(1, steps - rising - (reached ? 1 : 0));
    return (step) => (step < rising ? (peak * (step + 1)) / rising : floor + 0.5 * (1 + Math.cos((Math.PI * (step - rising)) / falling)) * (peak - floor));
  },
});

/** Options of {@link oneCycle}: torch's defaults. */
export interface OneCycleOptions {
  /** The part of the steps in which the value rises. Default 0.3. */
  readonly rising?: number;
  /** It starts at peak / `div`. Default 25. */
  readonly div?: number;
  /** It ends at peak / div / `finalDiv`. Default 1e4. */
  readonly finalDiv?: number;
}

/** Half cosines from `start` to `middle` and on to `end`; torch counts the phases in steps that are one short of their share. */
const twoPhases =
  (start: number, middle: number, end: number, rising: number) =>
  (steps: number): Schedule => {
    const anneal = (a: number, b: number, part: number): number => b + ((a - b) / 2) * (1 + Math.cos(Math.PI * part));
    const up = rising * steps - 1;
    const down = steps - 1 - up;
    return (step) => (step <= up ? anneal(start, middle, up === 0 ? 1 : step / up) : anneal(middle, end, down === 0 ? 1 : (step - up) / down));
  };

/** The one-cycle learning rate (arXiv 1708.07120), as torch computes it: up to `peak` and down again, both by half a cosine (METHODS.md B.3.4). */
export const oneCycle = (peak: number, { rising = 0.3, div = 25, finalDiv = 1e4 }: OneCycleOptions = {}): ScheduleOf => ({
  name: "oneCycle",
  options: { peak, rising, div, finalDiv },
  of: twoPhases(peak / div, peak, peak / div / finalDiv, rising),
});

/** The momentum of a one-cycle: down from `high` to `low` while the learning rate rises, and back; torch's AdamW takes it as β₁. */
export const oneCycleMomentum = (high = 0.95, low = 0.85, { rising = 0.3 }: Pick<OneCycleOptions, "rising"> = {}): ScheduleOf => ({
  name: "oneCycleMomentum",
  options: { high, low, rising },
  of: twoPhases(high, low, high, rising),
});

/** A line from `peak` / steps at step 0 to `peak` at the last (the thresholds of SoRA, METHODS.md H). */
export const rising = (peak: number): ScheduleOf => ({ name: "rising", options: { peak }, of: (steps) => (step) => (peak * (step + 1)) / steps });

/**
 * A quarter of a cosine, but for its last hundredth: peak · cos(99π i / (200 (n − 1))) at step i of n. The code of InfLoRA takes it by epoch (METHODS.md D.7).
 *
 * ```ts
 * const lr = quarterCosine(1e-3).of(3);
 * assert.deepEqual([lr(0), lr(2) < 2e-5], [1e-3, true]);
 * ```
 */
export const quarterCosine = (peak: number): ScheduleOf => ({
  name: "quarterCosine",
  options: { peak },
  of: (steps) => (step) => peak * Math.cos((99 * Math.PI * step) / (200 * Math.max(1, steps - 1))),
});

/**
 * From `start` on, times `factor` at each of the steps `at` (torch's MultiStepLR).
 *
 * ```ts
 * const lr = milestones(1, [2, 3], 0.5).of(4);
 * assert.deepEqual([0, 1, 2, 3].map(lr), [1, 1, 0.5, 0.25]);
 * ```
 */
export const milestones = (start: number, at: readonly number[], factor: number): ScheduleOf => ({
  name: "milestones",
  options: { start, at, factor },
  of: () => (step) => start * factor ** at.filter((milestone) => milestone <= step).length,
});

/** How long: a number of steps, or of walks over a task's images. */
export type Length = number | { readonly epochs: number };

/** One value for all tasks, or one for each by its position; the last stands for all that follow. */
export type PerTask<A> = A | readonly A[];

/**
 * The value for the task at a position.
 *
 * ```ts
 * assert.deepEqual([0, 1, 9].map((task) => perTask([5, 2], task)), [5, 2, 2]);
 * assert.equal(perTask(7, 3), 7);
 * ```
 */
export const perTask = <A>(values: PerTask<A>, position: number): A =>
  Array.isArray(values) ? (values as readonly A[])[Math.min(position, values.length - 1)] : (values as A);

/** A schedule whose value differs from task to task. */
export const byTask = <A>(values: PerTask<A>, of: (value: A) => ScheduleOf): ScheduleOf =>
  Array.isArray(values)
    ? { name: "byTask", options: { values, like: of(values[0]).name }, of: (steps, position = 0) => of(perTask(values, position)).of(steps, position) }
    : of(values as A);

/**
 * A schedule that goes on from epoch to epoch and not from step to step: its steps are epochs, the i-th of n steps being in epoch ⌊i E / n⌋ of E. Of a length
 * in steps every step is an epoch of its own.
 *
 * ```ts
 * const lr = byEpoch({ epochs: 2 }, milestones(1, [1], 0.1)).of(5);
 * assert.deepEqual([0, 1, 2, 3, 4].map(lr), [1, 1, 1, 0.1, 0.1]);
 * ```
 */
export const byEpoch = (lengths: PerTask<Length>, inner: ScheduleOf): ScheduleOf => ({
  name: "byEpoch",
  options: { [inner.name]: inner.options },
  of: (steps, position = 0) => {
    const length = perTask(lengths, position);
    const epochs = typeof length === "number" ? steps : Math.ceil(length.epochs);
    const at = inner.of(epochs, position);
    return (step) => at(Math.min(epochs - 1, Math.floor((step * epochs) / steps)));
  },
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
