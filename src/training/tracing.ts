/**
 * What step-scale stages run in: the program that is being written down.
 *
 * A stage asks it for tensors: frozen parameters of the model, inputs that the host computes for every step (a learning rate, a
 * threshold), state that lives from step to step (moments). Asking twice for one name gives the same tensor.
 */
import type { Precision } from "../device/device.ts";
import type { Leaves } from "../tensor/leaves.ts";
import { add } from "../tensor/ops/elementwise.ts";
import { floats, type Tensor } from "../tensor/tensor.ts";
import { lossScale, type LossScale } from "./lossScale.ts";

/** A number of the step that the host computes: step 0 is the first. */
export type Schedule = (step: number) => number;

/** What a stage may ask for while a step is traced. */
export interface Tracing extends Leaves {
  /** Steps that will be run in all: schedules are made for them. */
  readonly steps: number;
  /** The seed of what is random in the steps. */
  readonly seed: number;
  /** The position of the task in its stream. */
  readonly position: number;
  /** What the learner remembers of earlier tasks. */
  readonly memory: Readonly<Record<string, unknown>>;
  /** A small vector that the host computes for every step. */
  readonly hyper: (name: string, at: readonly Schedule[]) => Tensor;
  /** Records a number of every step under a name. */
  readonly record: (name: string, value: Tensor) => void;
  /** In mixed precision the scale of the loss: who differentiates one scales it. */
  readonly lossScale?: LossScale;
  /** Adds to an entry of a group of counters, once the step is done: votes that a forward pass gives. */
  readonly tally: (group: string, entry: string, value: Tensor) => void;
  /** What has been added so far to an entry in this step. */
  readonly tallied: (group: string, entry: string) => Tensor | undefined;
}

/** A tracing environment, and what the stages have asked of it. */
export interface Recorder {
  readonly tracing: Tracing;
  readonly hypers: ReadonlyMap<string, readonly Schedule[]>;
  readonly records: ReadonlyMap<string, Tensor>;
}

/** What a tracing environment is made from. */
export interface TracingOptions extends Pick<Tracing, "steps">, Partial<Pick<Tracing, "seed" | "position" | "memory">> {
  /** How the device computes that the step is for. Default: f32. */
  readonly precision?: Precision;
}

/** A new tracing environment on given leaves: by default that of a learner that remembers nothing, at its first task, with seed 0. */
export const recorder = (leaves: Leaves, { steps, seed = 0, position = 0, memory = {}, precision = "f32" }: TracingOptions): Recorder => {
  const hypers = new Map<string, readonly Schedule[]>();
  const records = new Map<string, Tensor>();
  const tallies = new Map<string, Tensor>();
  return {
    hypers,
    records,
    tracing: {
      ...leaves,
      ...(precision === "mixed" ? { lossScale: lossScale(leaves) } : {}),
      steps,
      seed,
      position,
      memory,
      hyper: (name, at) => {
        // Two stages may choose one name for different numbers: each gets an input of its own.
        const unique = hypers.has(name) ? `${name} ${hypers.size}` : name;
        hypers.set(unique, at);
        return leaves.input(unique, floats([at.length]));
      },
      record: (name, value) => void records.set(name, value),
      tally: (group, entry, value) => {
        const key = `${group}:${entry}`;
        const before = tallies.get(key);
        tallies.set(key, before === undefined ? value : add(before, value));
      },
      tallied: (group, entry) => tallies.get(`${group}:${entry}`),
    },
  };
};
