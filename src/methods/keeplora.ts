/**
 * KeepLoRA and KeepLoRA++: residual gradient adaptation (arXiv 2601.19659 and 2606.16256; METHODS.md B).
 *
 * What a model transfers lies in the principal directions of its weights, what tasks taught it in the dominant directions of their features. A task's mean
 * gradient is taken once and freed from both; its leading singular directions become a frozen A, and B alone is trained, so that no update can act on
 * what is protected. KeepLoRA++ starts B at zero and scales every layer's update by its depth: shallow layers are general, deep ones special.
 */
import { cosineHead } from "../model/adapters/heads.ts";
import { depthScale, lora } from "../model/adapters/lora.ts";
import { attentionLinears, both, type ModuleKind, type Tower } from "../model/parameters.ts";
import { adapt } from "../stages/adapt.ts";
import { featureBasis, principalWeights, share } from "../subspace/bases.ts";
import { residualGradient } from "../subspace/directions.ts";
import { encode } from "../stages/encode.ts";
import { evaluate, type EvaluateOptions } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import type { WithDirections } from "../training/lesson.ts";
import { merge } from "../stages/merge.ts";
import { imageToText } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { project } from "../stages/project.ts";
import { classMeans } from "../subspace/prototypes.ts";
import { byTask, oneCycle, oneCycleMomentum, type PerTask } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update, type Length } from "../stages/steps.ts";
import type { Complete } from "./options.ts";

/** Options of {@link keeplora}, {@link keeploraPlusPlus} and {@link keeploraPlus}; the defaults are those of the authors' code for MTIL (METHODS.md B.6). */
export interface KeepLoraOptions {
  /** Steps or epochs a task. Default 10 epochs. */
  readonly steps?: PerTask<Length>;
  /** Images a batch. Default 64. */
  readonly batch?: number;
  /** Default 16. */
  readonly rank?: number;
  /** The update is scaled by alpha / rank. Default 1. */
  readonly alpha?: number;
  /** Peak of the one-cycle learning rate. Default 1e-3. */
  readonly lr?: PerTask<number>;
  /** Default 0.01. */
  readonly weightDecay?: number;
  /** Whether β₁ cycles against the learning rate, as torch's schedule does by default; otherwise it is 0.9. Default true. */
  readonly cycleMomentum?: boolean;
  /** The share of each tower's weights that is protected, ε_w. Default 0.85 for vision, 0.2 for text. */
  readonly energy?: Readonly<Partial<Record<Tower, number>>>;
  /** The share of the features that is protected, ε_f. Default 0.99. */
  readonly featureEnergy?: number;
  /** The side of the weights whose directions are protected: that of their inputs, or the outputs as in the code (METHODS.md B.3.1). Default `input`. */
  readonly side?: "input" | "output";
  /** How many directions ε_w is: the first that reach it, or those that stay below it as in the code. Default `reach`. */
  readonly counting?: "reach" | "below";
  /** How features of batches add up: averaged position by position as in the code, or all of them (METHODS.md B.3.6). Default `code-mean`. */
  readonly accumulate?: "code-mean" | "gram";
  /** Where B starts. Default `svd` for KeepLoRA, `zero` for KeepLoRA++ (METHODS.md B.3.3). */
  readonly start?: "svd" | "zero";
  /** The factor of the first block; 1 is no scaling by depth. Default 1 for KeepLoRA, 0.2 for KeepLoRA++. */
  readonly depth?: number;
  /** Towers that are scaled by depth. Default vision, as in the code; what the paper does with text is unknown. */
  readonly depthTowers?: readonly Tower[];
  /** Default: the four of attention. */
  readonly modules?: readonly ModuleKind[];
  readonly towers?: readonly Tower[];
  /** Scale of KeepLoRA+'s cosine head. Default 30. */
  readonly headScale?: number;
  readonly evaluate?: EvaluateOptions;
}

const defaults: Complete<KeepLoraOptions> = {
  steps: { epochs: 10 },
  batch: 64,
  rank: 16,
  alpha: 1,
  lr: 1e-3,
  weightDecay: 0.01,
  cycleMomentum: true,
  energy: { vision: 0.85, text: 0.2 },
  featureEnergy: 0.99,
  side: "input",
  counting: "reach",
  accumulate: "code-mean",
  start: "svd",
  depth: 1,
  depthTowers: ["vision"],
  modules: attentionLinears,
  towers: both,
  headScale: 30,
};

/** What all three share: their parts. */
const parts = (options: KeepLoraOptions) => {
  const o: Complete<KeepLoraOptions> = { ...defaults, ...options };
  const { rank, modules, towers } = o;
  return {
    o,
    protectWeights: principalWeights({ modules, energy: o.energy, side: o.side, counting: o.counting }),
    encode: encode({ batch: o.batch, steps: o.steps }),
    chooseA: residualGradient({ rank, modules, towers, objective: imageToText, start: o.start }),
    adapters: ({ directions }: WithDirections) =>
      lora({ rank, modules, towers, directions, scale: depthScale({ base: o.alpha / rank, from: o.depth, towers: o.depthTowers }) }),
    steps: repeat(
      o.steps,
      gradient(imageToText),
      update(adamW({ lr: byTask(o.lr, oneCycle), betas: [o.cycleMomentum ? oneCycleMomentum() : 0.9, 0.999], weightDecay: o.weightDecay })),
    ),
    protectFeatures: featureBasis({ modules, towers, tokens: "all", accumulate: o.accumulate, energy: share(o.featureEnergy) }),
  };
};

const keep = (name: string, options: KeepLoraOptions): Method => {
  const p = parts(options);
  return method(
    name,
    p.o,
    pipeline(
      project(p.protectWeights),
      p.encode,
      project(p.chooseA),
      adapt({ adapters: (lesson) => p.adapters(lesson), steps: p.steps }),
      merge(),
      project(p.protectFeatures),
      evaluate(p.o.evaluate),
    ),
  );
};

/** KeepLoRA as a method: its parts are its algorithm. */
export const keeplora = (options: KeepLoraOptions = {}): Method => keep("keeplora", options);

/** KeepLoRA++ as a method: B starts at zero, and updates grow with depth. */
export const keeploraPlusPlus = (options: KeepLoraOptions = {}): Method => keep("keeplora++", { start: "zero", depth: 0.2, ...options });

/** KeepLoRA+ as a method: KeepLoRA++ with a cosine head beside the texts, which is kept for every task (METHODS.md B.3.8). */
export const keeploraPlus = (options: KeepLoraOptions = {}): Method => {
  const p = parts({ start: "zero", depth: 0.2, steps: { epochs: 5 }, ...options });
  return method(
    "keeplora+",
    p.o,
    pipeline(
      project(p.protectWeights),
      p.encode,
      project(p.chooseA),
      project(classMeans()),
      adapt({
        adapters: (lesson) => cosineHead(lesson.prototypes, lesson.task.classNames.length, p.adapters(lesson), { scale: p.o.headScale }),
        steps: p.steps,
      }),
      merge(),
      project(p.protectFeatures),
      evaluate(p.o.evaluate),
    ),
  );
};
