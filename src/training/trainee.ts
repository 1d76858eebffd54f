/** What flows at the scale of a step: a trainee, its parameters and optimiser state as symbolic tensors. */
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Forward } from "../model/adapters/adapter.ts";
import { lazily, type BatchSize, type Outputs } from "../model/architecture.ts";
import { wholeBatch, type Part } from "../model/part.ts";
import type { Network } from "../model/network.ts";
import type { TextBatch } from "../formats/tokenizer.ts";
import type { HostRecord } from "../tensor/replay.ts";
import { views, type Layout } from "../tensor/layout.ts";
import { check, detach, floats, type Spec, type Tensor } from "../tensor/tensor.ts";
import type { Divisible } from "./parts.ts";
import type { Tracing } from "./tracing.ts";

/** A group of parameters: their layout in one flat tensor, that tensor, and its views by name. */
export interface Group {
  readonly layout: Layout;
  readonly flat: Tensor;
  readonly views: ReadonlyMap<string, Tensor>;
}

/** The group with other values. */
export const withFlat = (group: Group, flat: Tensor): Group => ({ ...group, flat, views: views(group.layout, flat) });

/** Groups by name. */
export type Groups = Readonly<Record<string, Group>>;

/** A trainee before a step, or between two stages of one. */
export interface Trainee {
  readonly groups: Groups;
  /** The groups that optimisers are given. */
  readonly trained: readonly string[];
  /** New values of state that stages keep besides the parameters: moments, counters. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** What this step does to the forward pass of the adapters. */
  readonly forward: Forward;
  /** The outputs of the model with the parameters of groups, for a part of the batch; those that are given are not computed. */
  readonly outputs: (groups: Groups, forward: Forward, part: Part, given?: Outputs) => Outputs;
  /** The outputs of the frozen model under the adapters: the model as it was before the task. */
  readonly before: (part: Part, given?: Outputs) => Outputs;
  /** The outputs of the model as it was before the first task, from the weights that the learner remembers. */
  readonly original: (part: Part, given?: Outputs) => Outputs;
  /** An input of the batch, or of a part of it. */
  readonly input: (part: Part, name: string, spec: Spec) => Tensor;
  /** The logits of a head with the parameters of groups, where the adapters have one: from the outputs of the model. */
  readonly headLogits?: (groups: Groups, outputs: Outputs) => Tensor;
  readonly network: Network;
  readonly batch: BatchShape;
  /** The parts in which the batch is computed, one after the other: the whole of it, as a rule. */
  readonly parts: readonly Part[];
  /** The same model on a batch of reference pictures, where the step has one. */
  readonly reference?: Trainee;
}

/** A trainee whose gradients are known: for every group that the objective depends on, one flat tensor in its layout. */
export interface Graded extends Trainee {
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** The shape of a batch. Where the architecture reads no texts, `texts` counts classes. */
export interface BatchShape extends BatchSize {
  /** Classes of earlier tasks: they count in means over all classes (METHODS.md A.3). */
  readonly previous: number;
}

/** Batches of one shape, in any order: `at(step)` gives the inputs of the architecture, and `targets` and `transposedTargets`. */
export interface TrainingBatches extends Divisible {
  readonly shape: BatchShape;
  /** How many steps they are made for. */
  readonly steps: number;
  /** Whole batches in one walk over the task's images, at least 1: the first so many hold every image at most once. */
  readonly epoch: number;
  /** The prompts of the task's classes at the full context, padding included; none where there is no text. */
  readonly prompts?: TextBatch;
  /** Batches of reference pictures beside them, as many. */
  readonly reference?: Pick<TrainingBatches, "shape" | "at" | "inParts">;
  readonly at: (step: number) => TE.TaskEither<Failure, HostRecord>;
}

/** What an objective is a function of: the outputs of the model, the logits of the batch, and the soft targets. */
export interface Encoded {
  readonly outputs: Outputs;
  /**
   * The outputs of the model as it was before the task, for the same inputs: a teacher to distil from. It is the frozen model under the adapters, so it costs a
   * forward pass and no weights of its own. No gradient flows through them.
   */
  readonly before: Outputs;
  /** The same of the model as it was before the first task, whose weights `merge` keeps where it is asked to. */
  readonly original: Outputs;
  /** What tells classes apart: the head's logits, or those of the model: [images, texts]. */
  readonly logits: Tensor;
  /** [images, texts]. */
  readonly targets: Tensor;
  /** [texts, images]. */
  readonly transposedTargets: Tensor;
  /** The whole batch, also where a part of it is encoded: means are over the batch. */
  readonly batch: BatchShape;
  /** The part of the batch that is encoded: outputs, logits and targets are of its images. Default: all of it. */
  readonly part?: Part;
  readonly trainee: Trainee;
  readonly tracing: Tracing;
}

/** What a step does to the forward pass in a part of a batch. */
const forwardIn = ({ input, gates }: Forward, part: Part): Forward => ({
  ...(input === undefined ? {} : { input: (layer, x) => input(layer, x, part) }),
  ...(gates === undefined ? {} : { gates: (layer, x) => gates(layer, x, part) }),
});

/** Outputs that are known already, of the model and of its teachers. */
export type Given = Partial<Pick<Encoded, "outputs" | "before" | "original">>;

/** A trainee of whose outputs some are known in every part of the batch, and not computed: those of its model and of its teachers. */
export const giving = (trainee: Trainee, known: Outputs): Trainee => ({
  ...trainee,
  outputs: (groups, forward, part, given) => trainee.outputs(groups, forward, part, { ...known, ...given }),
  before: (part, given) => trainee.before(part, { ...known, ...given }),
  original: (part, given) => trainee.original(part, { ...known, ...given }),
});

/** The same outputs, through which no gradient flows. */
const detached = (outputs: Outputs): Outputs => lazily(Object.fromEntries(Object.keys(outputs).map((name) => [name, () => detach(outputs[name])])));

/** Encodes a part of the batch with the trainee's model, by default all of it; what nobody asks for, and what is given, is not traced. */
export const encodeBatch = (trainee: Trainee, tracing: Tracing, part: Part = wholeBatch(trainee.batch), given: Given = {}): Encoded => {
  const { groups, batch, headLogits } = trainee;
  const { images } = part.size;
  const outputs = trainee.outputs(groups, forwardIn(trainee.forward, part), part, given.outputs);
  return lazily<Encoded>({
    trainee: () => trainee,
    tracing: () => tracing,
    batch: () => batch,
    part: () => part,
    outputs: () => outputs,
    before: () => detached(trainee.before(part, given.before)),
    original: () => detached(trainee.original(part, given.original)),
    targets: () => trainee.input(part, "targets", floats([images, batch.texts])),
    transposedTargets: () => trainee.input(part, "transposedTargets", floats([batch.texts, images])),
    logits: () => {
      if (headLogits !== undefined) return headLogits(groups, outputs);
      check("logits" in outputs, "logits", () => `a ${trainee.network.name} tells classes apart by a head alone; train one with linearHead`);
      return outputs.logits;
    },
  });
};
