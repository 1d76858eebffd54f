/** The baselines that every method is compared with: no learning, plain LoRA one task after another, and all tasks at once. */
import { lora } from "../model/adapters/lora.ts";
import { allLinears, both, type ModuleKind, type Tower } from "../model/parameters.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate, type EvaluateOptions } from "../stages/evaluate.ts";
import { method, pool, skip, type Method } from "../stages/learn.ts";
import { merge } from "../stages/merge.ts";
import { imageToText, sum, textToImage } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { byTask, cosine, type PerTask } from "../training/schedule.ts";
import { named, pipeline } from "../stages/stage.ts";
import { gradient, repeat, update, type Length } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import type { Complete } from "./options.ts";

/** Options of the LoRA baselines: those of CoDyRA where both have them, so that a comparison differs in the method alone. */
export interface LoraMethodOptions {
  /** Steps or epochs a task. Default 500 steps. */
  readonly steps?: PerTask<Length>;
  /** Images a batch. Default 64. */
  readonly batch?: number;
  /** Default 16. */
  readonly rank?: number;
  /** Peak learning rate of AdamW, decayed by a cosine. Default 5e-4. */
  readonly lr?: PerTask<number>;
  /** Default [0.9, 0.9999]. */
  readonly betas?: readonly [number, number];
  readonly weightDecay?: number;
  readonly modules?: readonly ModuleKind[];
  readonly towers?: readonly Tower[];
  /** Smallest area of the random resized crop. Default 0.9. */
  readonly cropScale?: number;
  readonly evaluate?: EvaluateOptions;
}

/** The defaults of the LoRA baselines. */
export const loraDefaults: Complete<LoraMethodOptions> = {
  steps: 500,
  batch: 64,
  rank: 16,
  lr: 5e-4,
  betas: [0.9, 0.9999],
  weightDecay: 0,
  modules: allLinears,
  towers: both,
  cropScale: 0.9,
};

const loraMethod = (name: string, options: LoraMethodOptions): Method => {
  const o = { ...loraDefaults, ...options };
  return method(
    name,
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
        steps: repeat(
          o.steps,
          gradient(sum(imageToText, textToImage)),
          update(adamW({ lr: byTask(o.lr, cosine), betas: o.betas, weightDecay: o.weightDecay })),
        ),
      }),
      merge(),
      evaluate(o.evaluate),
    ),
  );
};

/** Learns nothing: the model as it is. */
export const zeroShot = (): Method => named("zero-shot", {}, skip);

/** A plain LoRA for every task, trained and merged one after another: what forgets. */
export const sequentialLora = (options: LoraMethodOptions = {}): Method => loraMethod("sequential-lora", options);

/** One LoRA trained on all tasks' data at once, `steps` in all: what cannot forget, and no continual learner may do. */
export const joint = (options: LoraMethodOptions = {}): Method => named("joint", { ...loraDefaults, ...options }, pipeline(pool, loraMethod("lora", options)));
