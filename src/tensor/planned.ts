/** How many bytes a program needs on a device, said before it runs. */
import { bindingStride, roundUp } from "../device/owned.ts";
import type { Target } from "../kernels/target.ts";
import { optimise } from "./passes/optimise.ts";
import { asUploaded } from "./passes/stored.ts";
import { plan, type Plan } from "./plan.ts";
import type { Program } from "./program.ts";

/** The bytes of a plan by what they are for. */
export interface PlannedBytes {
  /** Weights, which other programs may share. */
  readonly frozen: number;
  /** What lives from run to run: adapters and the moments of an optimiser. */
  readonly state: number;
  /** What is written before a run. */
  readonly input: number;
  /** What is computed: activations, gradients, outputs. */
  readonly computed: number;
  readonly all: number;
}

/** The bytes of a plan's buffers, each rounded up as it is made. */
export const bytesOfPlan = ({ buffers, leaves }: Plan): PlannedBytes => {
  const bytes = buffers.map((buffer) => roundUp(buffer.bytes, bindingStride));
  const sum = (some: readonly number[]): number => some.reduce((n, b) => n + b, 0);
  const of = (role: string): number => sum([...leaves].flatMap(([key, { buffer }]) => (key.startsWith(`${role}:`) ? [bytes[buffer]] : [])));
  const [frozen, state, input, all] = [of("frozen"), of("state"), of("input"), sum(bytes)];
  return { frozen, state, input, computed: all - frozen - state - input, all };
};

/** The plan of a traced program on a target that stores weights as its precision says. Nothing is opened or made: a GPU may be described alone. */
export const planned = (program: Program, target: Target): Plan => plan(optimise(asUploaded(program, target), target), target);

/** The bytes that a traced program needs on a target. */
export const plannedBytes = (program: Program, target: Target): PlannedBytes => bytesOfPlan(planned(program, target));
