/**
 * Measures matmul plans on a device and remembers the fastest, per adapter and class of shapes, in the cache of the device.
 *
 * ```ts
 * pipe(tuneMatmul(device, shapes), TE.map((choose) => choose(shape))): TaskEither<Failure, MatmulPlan>
 * ```
 *
 * A choice never changes a result, because all plans of a shape give the same bits; so whatever goes wrong with the cache is ignored.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { wgsl } from "../../wgsl/generated.ts";
import type { Failure } from "../failure.ts";
import type { Device } from "../device/device.ts";
import type { Cache } from "../platform/platform.ts";
import { matmulKernels, matmulWork, type MatmulPlan, type MatmulShape } from "./matmul.ts";
import { fastestPlan } from "./measure.ts";
import { matmulVariants } from "./variants.ts";

/** A plan for a shape: the measured one of its class, or the best guess. */
export type MatmulChooser = (shape: MatmulShape) => MatmulPlan;

/** Options of {@link tuneMatmul}. */
export interface TuneOptions {
  /** Where choices are kept. Default: the cache of the device. */
  readonly cache?: Cache;
  /** No measurement begins after this many milliseconds; classes that were not reached keep the best guess. 0 only reads. */
  readonly milliseconds?: number;
}

/**
 * Shapes of one class share a choice: the form, whether it is split, the sizes to the nearest power of two, what is stored as f16, and what operands are
 * multiplied as.
 */
export const shapeClass = (s: MatmulShape): string =>
  [
    `${s.ta ? "T" : "N"}${s.tb ? "T" : "N"}`,
    ...(s.parts === undefined ? [] : ["parts"]),
    ...[s.m, s.n, s.k, s.batch].map((x) => Math.round(Math.log2(Math.max(1, x)))),
    ...Object.keys(s.types ?? {}).sort(),
    ...(s.multiply === undefined ? [] : [s.multiply]),
  ].join("-");

/** What tells the plans of one shape apart. */
export const planName = ({ kernel, constants: { ROWS, COLS, DEPTH, DOWN, ACROSS, BROADCAST, SWAP } }: MatmulPlan): string =>
  [
    kernel,
    [ROWS, COLS, DEPTH].filter((size) => size !== undefined).join("x"),
    ...(DOWN === undefined ? [] : [`of ${DOWN}x${ACROSS}`]),
    ...(BROADCAST ? ["broadcast"] : []),
    ...(SWAP ? ["swap"] : []),
  ].join(" ");

const Kept = t.type({ kernels: t.string, choices: t.record(t.string, t.string) });

type Choices = Readonly<Record<string, string>>;

/** Choices made for other kernels are void. */
const kernels = bytesToHex(sha256(new TextEncoder().encode(matmulKernels.map((kernel) => wgsl[kernel]).join("")))).slice(0, 16);

const read = async (cache: Cache, name: string): Promise<Choices> => {
  try {
    const kept = Kept.decode(JSON.parse((await cache.read(name)()) ?? ""));
    return E.isRight(kept) && kept.right.kernels === kernels ? kept.right.choices : {};
  } catch {
    return {};
  }
};

const write = async (cache: Cache, name: string, measured: Choices): Promise<void> => {
  // Another process may have written meanwhile.
  const choices = { ...(await read(cache, name)), ...measured };
  await cache.write(name, `${JSON.stringify({ kernels, choices }, null, 2)}\n`)();
};

/** Plans worth a measurement. On a CPU adapter compiling one takes most of a second, on a GPU a tenth of it; the first guesses are close. */
const contenders = (device: Device, shape: MatmulShape): readonly MatmulPlan[] =>
  matmulVariants(device.adapter, shape, device.limits.maxComputeWorkgroupStorageSize).slice(0, device.adapter.kind === "gpu" ? 4 : 3);

/**
 * Measures, for every class among `shapes` that was not measured on this adapter before and within the time, the plans worth it, and
 * returns the chooser. The classes with the most work come first. Fails with what the device fails with.
 */
export const tuneMatmul =
  (device: Device, shapes: readonly MatmulShape[], options: TuneOptions = {}): TaskEither<Failure, MatmulChooser> =>
  async () => {
    const { cache = device.cache, milliseconds = 5000 } = options;
    const name = `matmul-${device.adapter.key}.json`;
    const kept = await read(cache, name);
    const measured: Record<string, string> = {};

    const classes = new Map<string, { readonly shape: MatmulShape; work: number }>();
    // What is computed of the sums costs the same in all plans.
    for (const shape of shapes.map((whole): MatmulShape => ({ ...whole, epilogue: undefined }))) {
      if (matmulWork(shape) === 0 || shapeClass(shape) in kept) continue;
      const entry = classes.get(shapeClass(shape)) ?? { shape, work: 0 };
      entry.work += matmulWork(shape);
      classes.set(shapeClass(shape), entry);
    }
    const end = performance.now() + milliseconds;
    for (const [key, { shape }] of [...classes].sort(([, x], [, y]) => y.work - x.work)) {
      if (performance.now() >= end) break;
      const choice = await fastestPlan(device, shape, contenders(device, shape));
      if (E.isLeft(choice)) return choice;
      if (choice.right !== undefined) measured[key] = planName(choice.right);
    }
    if (Object.keys(measured).length > 0) await write(cache, name, measured);

    const choices: Choices = { ...kept, ...measured };
    return E.right((shape) => {
      const plans = matmulVariants(device.adapter, shape, device.limits.maxComputeWorkgroupStorageSize);
      const name = choices[shapeClass(shape)];
      return plans.find((plan) => planName(plan) === name) ?? plans[0];
    });
  };
