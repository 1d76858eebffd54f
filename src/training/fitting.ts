/** What would make a step fit that a device refuses: the same step with other options, and the bytes that it then needs. */
import * as E from "fp-ts/lib/Either.js";
import type { Device, Precision } from "../device/device.ts";
import { inPrecision } from "../device/precision.ts";
import type { Failure } from "../failure.ts";
import { target } from "../kernels/target.ts";
import { wholeBatch, type Part } from "../model/part.ts";
import { bytes } from "../report/format.ts";
import type { Plan } from "../tensor/plan.ts";
import { bytesOfPlan, planned } from "../tensor/planned.ts";
import type { Program, Recompute } from "../tensor/program.ts";
import { partsOf } from "./parts.ts";
import type { BatchShape, TrainingBatches } from "./trainee.ts";

type OverLimit = Extract<Failure, { readonly _tag: "OverLimit" }>;

/** What a step is traced from. */
export interface Traced {
  readonly batch: BatchShape;
  readonly parts: readonly Part[];
  readonly recompute?: Recompute;
  /** Of the device that it is for: in mixed precision the loss has a scale. */
  readonly precision: Precision;
}

/** A step, the options that it has, and how it is traced with others. */
export interface Fitting {
  readonly device: Device;
  readonly batches: Pick<TrainingBatches, "shape" | "inParts">;
  readonly accumulate: number;
  readonly recompute?: Recompute;
  readonly trace: (options: Traced) => E.Either<Failure, Program>;
}

/** A choice of options, as a person writes it. */
interface Choice {
  readonly flag: string;
  readonly device: Device;
  readonly traced: E.Either<Failure, Traced>;
}

/** In so many parts a batch is cut, and by so much it is made smaller, to see whether it fits. */
const divisors = [2, 4, 8, 16] as const;

/** The choices, in groups of which the first that fits is enough. */
const choices = ({ device, batches, accumulate, recompute }: Fitting): readonly (readonly Choice[])[] => {
  const { shape } = batches;
  const partsFor = (count: number): E.Either<Failure, readonly Part[]> =>
    E.map(({ parts }: { readonly parts: readonly Part[] }) => parts)(partsOf(batches, count));
  const now = partsFor(accumulate);
  const traced = (parts: typeof now, other: Partial<Traced> = {}): Choice["traced"] =>
    E.map((all: readonly Part[]): Traced => ({ batch: shape, parts: all, recompute, precision: device.precision, ...other }))(parts);
  const smaller = (by: number): Choice["traced"] =>
    E.map(([{ size, examples }]: readonly Part[]): Traced => {
      const batch = { ...shape, ...size };
      return { batch, parts: [wholeBatch(size, examples)], recompute, precision: device.precision };
    })(partsFor(by));
  const examples = batches.inParts === undefined ? shape.images : shape.texts;
  const mixed = device.precision === "mixed" ? E.left(undefined) : inPrecision("mixed", device);
  return [
    recompute === "blocks" ? [] : [{ flag: "--recompute blocks", device, traced: traced(now, { recompute: "blocks" }) }],
    divisors.filter((n) => n > accumulate).map((n) => ({ flag: `--accumulate ${n}`, device, traced: traced(partsFor(n)) })),
    E.isLeft(mixed) ? [] : [{ flag: "--precision mixed", device: mixed.right, traced: traced(now, { precision: "mixed" }) }],
    divisors.filter((n) => n <= examples).map((n) => ({ flag: `--batch ${Math.ceil(examples / n)}`, device, traced: smaller(n) })),
  ];
};

/** Whether a plan keeps within what was exceeded. Of memory nobody knows how much there is: three quarters of what was too much are worth a try. */
const keepsWithin = ({ limitName, limit, bytes: needed }: OverLimit, { buffers, launches }: Plan, all: number): boolean => {
  if (limitName === "memory") return all <= 0.75 * (limit + needed);
  const largest =
    limitName === "maxBufferSize" ? buffers.map((buffer) => buffer.bytes) : launches.flatMap(({ operands }) => operands.map((o) => o?.bytes ?? 0));
  return largest.every((size) => size <= limit);
};

/**
 * The same failure with the options that would make the step fit, each with the bytes that the step then needs in all; of the parts of a batch and of smaller
 * batches the first that does. Nothing is made on the device.
 */
export const withFitting = (failure: Failure, fitting: Fitting): Failure => {
  if (failure._tag !== "OverLimit" || (failure.option !== "batch" && failure.limitName !== "memory")) return failure;
  const instead = choices(fitting).flatMap((group): readonly string[] => {
    for (const { flag, device, traced } of group) {
      const program = E.chain(fitting.trace)(traced);
      if (E.isLeft(program)) continue;
      const on = target(device);
      const fitted = planned(program.right, on);
      const { all } = bytesOfPlan(fitted);
      if (keepsWithin(failure, fitted, all)) return [`${flag} (${bytes(all)})`];
    }
    return [];
  });
  return instead.length === 0 ? failure : { ...failure, instead };
};
