/**
 * O-LoRA: orthogonal low-rank adaptation (arXiv 2310.14152; METHODS.md H). Every task has a LoRA of its own, whose A is kept away from the rows of all earlier
 * ones by a penalty on their inner products; the model is the sum of all.
 */
import { lora } from "../model/adapters/lora.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { merge } from "../stages/merge.ts";
import { imageToText, sum, textToImage, weighted } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { overlap } from "../subspace/overlap.ts";
import { past } from "../subspace/past.ts";
import { project } from "../stages/project.ts";
import { byTask, cosine } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import { loraDefaults, type LoraMethodOptions } from "./baselines.ts";
import type { Complete } from "./options.ts";

/** Options of {@link oLora}. */
export interface OLoraOptions extends LoraMethodOptions {
  /** The weight of the penalty, λ₁. Default 0.5. */
  readonly orthogonality?: number;
  /** The sum of the absolute values of A_i A_tᵀ, as in the code, or of their squares, as in the paper. Default `abs-sum`. */
  readonly penalty?: "abs-sum" | "square-sum";
}

/** O-LoRA as a method; queries and values are adapted. */
export const oLora = (options: OLoraOptions = {}): Method => {
  const o: Complete<OLoraOptions> = { ...loraDefaults, modules: ["q", "v"], orthogonality: 0.5, penalty: "abs-sum", ...options };
  return method(
    "o-lora",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
        steps: repeat(
          o.steps,
          gradient(sum(imageToText, textToImage, weighted(o.orthogonality, overlap("A", { reduce: o.penalty, modules: "sum" })))),
          update(adamW({ lr: byTask(o.lr, cosine), betas: o.betas, weightDecay: o.weightDecay })),
        ),
      }),
      project(past("A")),
      merge(),
      evaluate(o.evaluate),
    ),
  );
};
