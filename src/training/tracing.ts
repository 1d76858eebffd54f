/**
 * What step-scale stages run in: the program that is being written down.
 *
 * A stage asks it for tensors: frozen parameters of the model, inputs that the host computes for every step (a learning rate, a
 * threshold), state that lives from step to step (moments). Asking twice for one name gives the same tensor.
 */
import type { HostTensor } from "../formats/hostTensor.ts";
import type { ModelConfig } from "../model/config.ts";
import { add } from "../tensor/ops/elementwise.ts";
import { floats, leaf, type Shape, type Spec, type Tensor } from "../tensor/tensor.ts";

/** A number of the step that the host computes: step 0 is the first. */
export type Schedule = (step: number) => number;

/** What a stage may ask for while a step is written down. */
export interface Tracing {
  readonly config: ModelConfig;
  /** Steps that will be run in all: schedules are made for them. */
  readonly steps: number;
  /** The seed of what is random in the steps. */
  readonly seed: number;
  /** The position of the task in its stream. */
  readonly position: number;
  /** What the learner remembers of earlier tasks. */
  readonly memory: Readonly<Record<string, unknown>>;
  /** A frozen parameter of the model. */
  readonly frozen: (name: string, shape: Shape) => Tensor;
  /** A tensor whose values the stage brings along. */
  readonly constant: (name: string, value: HostTensor) => Tensor;
  /** A small vector that the host computes for every step. */
  readonly hyper: (name: string, at: readonly Schedule[]) => Tensor;
  /** A tensor that lives from step to step, zero before the first unless `initial` says otherwise. */
  readonly state: (name: string, shape: Shape) => Tensor;
  /** Data of the batch, filled by the training loop. */
  readonly batch: (name: string, spec: Spec) => Tensor;
  /** Records a number of every step under a name. */
  readonly record: (name: string, value: Tensor) => void;
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
  readonly constants: ReadonlyMap<string, HostTensor>;
}

/** What a tracing environment is made from. */
export interface Surroundings extends Pick<Tracing, "config" | "steps">, Partial<Pick<Tracing, "seed" | "position" | "memory">> {}

/** A new tracing environment: by default that of a learner that remembers nothing, at its first task, with seed 0. */
export const recorder = ({ config, steps, seed = 0, position = 0, memory = {} }: Surroundings): Recorder => {
  const leaves = new Map<string, Tensor>();
  const hypers = new Map<string, readonly Schedule[]>();
  const records = new Map<string, Tensor>();
  const constants = new Map<string, HostTensor>();
  const tallies = new Map<string, Tensor>();
  const once = (role: "frozen" | "state" | "input", name: string, spec: Spec): Tensor => {
    const key = `${role}:${name}`;
    const known = leaves.get(key);
    if (known !== undefined) return known;
    const made = leaf(role, name, spec);
    leaves.set(key, made);
    return made;
  };
  return {
    hypers,
    records,
    constants,
    tracing: {
      config,
      steps,
      seed,
      position,
      memory,
      frozen: (name, shape) => once("frozen", name, floats(shape)),
      constant: (name, value) => {
        constants.set(name, value);
        return once("frozen", name, floats(value.shape));
      },
      hyper: (name, at) => {
        // Two stages may choose one name for different numbers: each gets an input of its own.
        const unique = hypers.has(name) ? `${name} ${hypers.size}` : name;
        hypers.set(unique, at);
        return once("input", unique, floats([at.length]));
      },
      state: (name, shape) => once("state", name, floats(shape)),
      batch: (name, spec) => once("input", name, spec),
      record: (name, value) => void records.set(name, value),
      tally: (group, entry, value) => {
        const key = `${group}:${entry}`;
        const known = tallies.get(key);
        tallies.set(key, known === undefined ? value : add(known, value));
      },
      tallied: (group, entry) => tallies.get(`${group}:${entry}`),
    },
  };
};
