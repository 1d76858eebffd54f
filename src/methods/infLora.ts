/**
 * InfLoRA: interference-free low-rank adaptation (arXiv 2404.00228; METHODS.md H). A is designed, not trained: the leading directions of the new task's own
 * inputs outside of the subspace of past tasks' inputs, so that training B cannot interfere with them. The subspace is kept whole where the authors store
 * its complement once it is the smaller one: the projections are the same.
 */
import { lora } from "../model/adapters/lora.ts";
import { adapt } from "../stages/adapt.ts";
import { featureBasis, growing } from "../subspace/bases.ts";
import { residualInputs } from "../subspace/directions.ts";
import { encode } from "../stages/encode.ts";
import { evaluate } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { merge } from "../stages/merge.ts";
import { imageToText, sum, textToImage } from "../training/objective.ts";
import { adamW, sgd } from "../training/optimizer.ts";
import { project } from "../stages/project.ts";
import { byTask, cosine, type PerTask } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import { loraDefaults, type LoraMethodOptions } from "./baselines.ts";
import type { Complete } from "./options.ts";

/** Options of {@link infLora}. */
export interface InfLoraOptions extends LoraMethodOptions {
  /** Default `adam`. */
  readonly optimizer?: "adam" | "sgd";
  /** The learning rate of a ViT's head. Default `lr`. */
  readonly headLr?: PerTask<number>;
  /** The share of the inputs' energy that is protected after the first task, growing to 1. Default 0.95. */
  readonly threshold?: number;
}

/** InfLoRA as a method; keys and values of the vision tower are adapted. */
export const infLora = (options: InfLoraOptions = {}): Method => {
  const o: Complete<InfLoraOptions> = {
    ...loraDefaults,
    modules: ["k", "v"],
    towers: ["vision"],
    optimizer: "adam",
    headLr: options.lr ?? loraDefaults.lr,
    threshold: 0.95,
    ...options,
  };
  const { rank, modules, towers } = o;
  const inputs = { modules, towers, tokens: "all", accumulate: "gram" } as const;
  const optimizer = (peak: PerTask<number>) => {
    const lr = byTask(peak, cosine);
    return o.optimizer === "adam" ? adamW({ lr, betas: o.betas, weightDecay: o.weightDecay }) : sgd({ lr, weightDecay: o.weightDecay });
  };
  return method(
    "inflora",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      project(residualInputs({ rank, ...inputs })),
      adapt({
        adapters: ({ directions }) => lora({ rank, modules, towers, directions }),
        steps: repeat(o.steps, gradient(sum(imageToText, textToImage)), update(optimizer(o.lr), { head: optimizer(o.headLr) })),
      }),
      merge(),
      project(featureBasis({ ...inputs, energy: growing(o.threshold) })),
      evaluate(o.evaluate),
    ),
  );
};
