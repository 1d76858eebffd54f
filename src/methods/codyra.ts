/**
 * CoDyRA: dynamic rank-selective LoRA (arXiv 2412.01004; METHODS.md A).
 *
 * Every linear layer of both towers gets a LoRA whose rank-1 components have a gate each. A task is first learned densely; then a proximal step
 * shrinks the gates towards zero, with a threshold that ramps up, so that every layer keeps the ranks that the task needs. What is
 * left is merged, and the next task starts with fresh adapters. No replay, no router, no task id.
 */
import { gatedLora, normal } from "../model/adapters/lora.ts";
import { allLinears, both, type ModuleKind, type Tower } from "../model/parameters.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate, type EvaluateOptions } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { merge, selected } from "../stages/merge.ts";
import { imageToText, sum, textToImage } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { byTask, cosine, ramp, type PerTask } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { rankSelect, softThreshold } from "../stages/rankSelect.ts";
import { gradient, repeat, update, type Length } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import type { Complete } from "./options.ts";

/** Options of {@link codyra}; the defaults are those of the authors' launch script (METHODS.md A.6). */
export interface CodyraOptions {
  /** Steps or epochs a task. Default 500 steps. */
  readonly steps?: PerTask<Length>;
  /** Images a batch. Default 64. */
  readonly batch?: number;
  /** Rank of every adapter before pruning. Default 16. */
  readonly rank?: number;
  /** Peak learning rate of AdamW, decayed by a cosine. Default 5e-4. */
  readonly lr?: PerTask<number>;
  /** Default [0.9, 0.9999]. */
  readonly betas?: readonly [number, number];
  readonly weightDecay?: number;
  /** The largest threshold, κ_max. Default 0.005. */
  readonly kappa?: number;
  /** Levels of the threshold's ramp. Default 50. */
  readonly levels?: number;
  /** The part of the steps that trains without a threshold. Default 0.5. */
  readonly dense?: number;
  /** Scale the thresholds by 500 / steps, so that the sum of all thresholds does not depend on the steps. Default true. */
  readonly scaleThreshold?: boolean;
  /** The shrink operator: the paper's, or that of the authors' code with a dead zone of 2κ. Default `paper`. */
  readonly shrink?: "paper" | "code";
  readonly modules?: readonly ModuleKind[];
  readonly towers?: readonly Tower[];
  /** Smallest area of the random resized crop. Default 0.9. */
  readonly cropScale?: number;
  readonly evaluate?: EvaluateOptions;
}

/** CoDyRA as a method: its parts are its algorithm. */
export const codyra = (options: CodyraOptions = {}): Method => {
  const o: Complete<CodyraOptions> = {
    steps: 500,
    batch: 64,
    rank: 16,
    lr: 5e-4,
    betas: [0.9, 0.9999],
    weightDecay: 0,
    kappa: 0.005,
    levels: 50,
    dense: 0.5,
    scaleThreshold: true,
    shrink: "paper",
    modules: allLinears,
    towers: both,
    cropScale: 0.9,
    ...options,
  };
  return method(
    "codyra",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: gatedLora({ rank: o.rank, modules: o.modules, towers: o.towers, gate: normal(0, 1) }),
        steps: repeat(
          o.steps,
          // Where the text tower alone is adapted, the authors train on the images' loss alone.
          gradient(o.towers.includes("vision") ? sum(imageToText, textToImage) : imageToText),
          update(adamW({ lr: byTask(o.lr, cosine), betas: o.betas, weightDecay: o.weightDecay })),
          rankSelect(softThreshold(ramp(o.kappa, { dense: o.dense, levels: o.levels, scaled: o.scaleThreshold }), { shrink: o.shrink })),
        ),
      }),
      merge(selected),
      evaluate(o.evaluate),
    ),
  );
};
