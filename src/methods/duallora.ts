/**
 * DualLoRA: orthogonal and residual adapters with a dynamic memory (arXiv 2411.00623) — a RECONSTRUCTION: neither the paper's equations nor its code could
 * be read, so everything beyond its two branches and their two constraints is our choice, and an option (METHODS.md D).
 *
 * Every adapted layer has two branches. The orthogonal one is kept outside of the features of past tasks and is merged. The residual one acts on the directions
 * that one task contributed; it is never merged, and the memory weighs it for every image by the energy that the image has in those directions. The same
 * energies predict the task of an image, and correct the logits where they are sure of it. No replay, no task id.
 */
import { lora } from "../model/adapters/lora.ts";
import { parallel } from "../model/adapters/parallel.ts";
import type { ModuleKind, Tower } from "../model/parameters.ts";
import { adapt } from "../stages/adapt.ts";
import { growing, remembered } from "../subspace/bases.ts";
import { encode } from "../stages/encode.ts";
import { evaluate, type EvaluateOptions } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { branch, merge } from "../stages/merge.ts";
import { imageToText } from "../training/objective.ts";
import { adamW, sgd } from "../training/optimizer.ts";
import { project, rowsOutOf, startingOutside } from "../stages/project.ts";
import {
  addSlot,
  keepResidual,
  residual,
  residualDirections,
  taskPrediction,
  type SlotChoice,
  type SlotWeights,
  type TaskPredictionOptions,
} from "./dualloraMemory.ts";
import { byTask, constantly, type PerTask } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update, type Length } from "../stages/steps.ts";
import type { Complete } from "./options.ts";

/** Options of {@link duallora}: all are our choice (METHODS.md D.7 takes them from InfLoRA's public configurations). */
export interface DualLoraOptions {
  /** Steps or epochs a task. Default 20 epochs. */
  readonly steps?: PerTask<Length>;
  /** Images a batch. Default 128. */
  readonly batch?: number;
  /** Of both branches. Default 10. */
  readonly rank?: number;
  /** Default `adam`. */
  readonly optimizer?: "adam" | "sgd";
  /** Default 5e-4. */
  readonly lr?: PerTask<number>;
  /** The learning rate of a ViT's head. Default `lr`. */
  readonly headLr?: PerTask<number>;
  /** The share of the features' energy that the memory holds after the first task, growing to 1. Default 0.95. */
  readonly threshold?: number;
  /** The rows of a module's input that the memory is made of. Default `class`: the class token of every image. */
  readonly tokens?: "class" | "all";
  /** Whose directions a residual adapter acts on. Default `previous`. */
  readonly slot?: SlotChoice;
  /** How residual adapters are weighted. Default `share`. */
  readonly weights?: SlotWeights;
  /** Whether the orthogonal branch starts with orthonormal rows. Default false. */
  readonly orthonormal?: boolean;
  /** How the task of an image is predicted, and what follows. */
  readonly prediction?: TaskPredictionOptions;
  /** Default: keys and values. */
  readonly modules?: readonly ModuleKind[];
  /** Default: the vision tower. */
  readonly towers?: readonly Tower[];
  readonly evaluate?: EvaluateOptions;
}

/** DualLoRA as a method, as we reconstruct it: its parts are its algorithm. */
export const duallora = (options: DualLoraOptions = {}): Method => {
  const o: Complete<DualLoraOptions> = {
    steps: { epochs: 20 },
    batch: 128,
    rank: 10,
    optimizer: "adam",
    lr: 5e-4,
    headLr: options.lr ?? 5e-4,
    threshold: 0.95,
    tokens: "class",
    slot: "previous",
    weights: "share",
    orthonormal: false,
    prediction: {},
    modules: ["k", "v"],
    towers: ["vision"],
    ...options,
  };
  const { rank, modules, towers, tokens, slot } = o;
  const memory = residual({ modules, towers, weights: o.weights });
  const features = { modules, towers, tokens, accumulate: "gram", through: memory, energy: growing(o.threshold) } as const;
  const optimizer = (lr: PerTask<number>) => (o.optimizer === "adam" ? adamW : sgd)({ lr: byTask(lr, constantly) });
  return method(
    "duallora",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps }),
      project(residualDirections({ rank, slot, ...features })),
      adapt({
        through: memory,
        adapters: ({ directions, learner }) =>
          parallel({
            orthogonal: startingOutside(remembered(learner), lora({ rank, modules, towers }), { orthonormal: o.orthonormal }),
            residual: lora({ rank, modules, towers, directions }),
          }),
        steps: repeat(o.steps, gradient(imageToText), update(optimizer(o.lr), { head: optimizer(o.headLr) }), project(rowsOutOf("orthogonal.A"))),
      }),
      project(keepResidual(slot)),
      merge(branch("orthogonal")),
      project(addSlot(features)),
      evaluate(o.evaluate, { through: memory, calibration: taskPrediction(o.prediction) }),
    ),
  );
};
