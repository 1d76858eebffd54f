/**
 * SoRA: sparse low-rank adaptation (arXiv 2311.11696; METHODS.md H), one task after another. A gated LoRA whose gates a proximal step shrinks from the first
 * step on, with a threshold that rises linearly; CoDyRA comes from it.
 */
import { gatedLora, normal } from "../model/adapters/lora.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { merge, selected } from "../stages/merge.ts";
import { imageToText, sum, textToImage } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { rankSelect, softThreshold } from "../stages/rankSelect.ts";
import { byTask, cosine, rising } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import { loraDefaults, type LoraMethodOptions } from "./baselines.ts";
import type { Complete } from "./options.ts";

/** Options of {@link sora}. */
export interface SoraOptions extends LoraMethodOptions {
  /** The update is scaled by alpha / rank. Default: the rank, so that the scale is 1. */
  readonly alpha?: number;
  /** The largest threshold; its sum over 500 steps is CoDyRA's where it is 0.0026. Default 0.0026, our choice. */
  readonly kappa?: number;
  readonly shrink?: "paper" | "code";
}

/** SoRA as a method for a stream. */
export const sora = (options: SoraOptions = {}): Method => {
  const o: Complete<SoraOptions> = { ...loraDefaults, alpha: options.rank ?? loraDefaults.rank, kappa: 0.0026, shrink: "paper", ...options };
  return method(
    "sora",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: gatedLora({ rank: o.rank, modules: o.modules, towers: o.towers, scale: o.alpha / o.rank, gate: normal(0, 1) }),
        steps: repeat(
          o.steps,
          gradient(sum(imageToText, textToImage)),
          update(adamW({ lr: byTask(o.lr, cosine), betas: o.betas, weightDecay: o.weightDecay })),
          rankSelect(softThreshold(rising(o.kappa), { shrink: o.shrink })),
        ),
      }),
      merge(selected),
      evaluate(o.evaluate),
    ),
  );
};
