/**
 * DAC: decomposing and composing, a pool of rank-1 experts in a single LoRA (arXiv 2601.22828; METHODS.md C).
 *
 * A LoRA of rank r is read as r experts. A router on the first token lets every sample vote for the experts of a step; the batch uses those with the most
 * votes. The AGO loss keeps the outputs of a task's most used experts away from those of past tasks, and only the most used are merged. No replay, no task
 * id.
 */
import { expertPool } from "../model/adapters/lora.ts";
import { allLinears, both, type ModuleKind, type Tower } from "../model/parameters.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate, type EvaluateOptions } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { all, merge, mostUsed } from "../stages/merge.ts";
import { contrastive, sum, weighted } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { mostVoted, overlap } from "../subspace/overlap.ts";
import { past } from "../subspace/past.ts";
import { project } from "../stages/project.ts";
import { batchVote, rankSelect } from "../stages/rankSelect.ts";
import { byTask, cosine, type PerTask } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { dropout, gradient, repeat, update, type Length } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import type { Complete } from "./options.ts";

/** Options of {@link dac}; the defaults are those of the authors' code (METHODS.md C.6). */
export interface DacOptions {
  /** Steps a task. Default 501: the authors' loop counts from 0 to 500. */
  readonly steps?: PerTask<Length>;
  /** Images a batch. Default 32. */
  readonly batch?: number;
  /** Experts of a module. Default 12. */
  readonly rank?: number;
  /** Experts that a step uses. Default 8. */
  readonly active?: number;
  /** Experts that are merged, and whose overlap counts. Default half of the active ones. */
  readonly merged?: number;
  /** The update is scaled by alpha / rank. Default 1. */
  readonly alpha?: number;
  /** Dropout of the experts' and the router's inputs. Default 0.2. */
  readonly dropout?: number;
  /** The weight of the AGO loss, λ. Default 0.1. */
  readonly ago?: number;
  /** The columns of past tasks in the AGO loss: all, as in the code, or those of the most used experts, as in the paper. Default `all`. */
  readonly agoPast?: "all" | "critical";
  /** The sum of absolute inner products of a module, as in the code, or their mean, as in the paper. Default `abs-sum`. */
  readonly agoReduce?: "abs-sum" | "mean";
  /** How the router learns; in the code it does not. Default `frozen-random`. */
  readonly router?: "frozen-random" | "straight-through" | "prob-weighted";
  /** Peak learning rate, down to 1e-6 by a cosine. Default 2e-3. */
  readonly lr?: PerTask<number>;
  /** Default 0.01. */
  readonly weightDecay?: number;
  readonly modules?: readonly ModuleKind[];
  readonly towers?: readonly Tower[];
  /** Smallest area of the random resized crop. Default 0.9. */
  readonly cropScale?: number;
  /** Default: the ensemble of all templates. */
  readonly evaluate?: EvaluateOptions;
}

/** DAC as a method: its parts are its algorithm. */
export const dac = (options: DacOptions = {}): Method => {
  const o: Complete<DacOptions> = {
    steps: 501,
    batch: 32,
    rank: 12,
    active: 8,
    merged: Math.ceil((options.active ?? 8) / 2),
    alpha: 1,
    dropout: 0.2,
    ago: 0.1,
    agoPast: "all",
    agoReduce: "abs-sum",
    router: "frozen-random",
    lr: 2e-3,
    weightDecay: 0.01,
    modules: allLinears,
    towers: both,
    cropScale: 0.9,
    evaluate: { templates: "ensemble" },
    ...options,
  };
  return method(
    "dac",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, texts: "images", template: "random", augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: expertPool({ rank: o.rank, scale: o.alpha / o.rank, modules: o.modules, towers: o.towers }),
        steps: repeat(
          o.steps,
          dropout(o.dropout),
          rankSelect(batchVote(o.active, { router: o.router })),
          gradient(sum(contrastive, weighted(o.ago, overlap("B", { critical: mostVoted(o.merged), reduce: o.agoReduce })))),
          update(adamW({ lr: byTask(o.lr, (lr) => cosine(lr, { floor: 1e-6, reached: true })), weightDecay: o.weightDecay })),
        ),
      }),
      project(o.agoPast === "all" ? past("B", all) : past("B", mostUsed(o.merged))),
      merge(mostUsed(o.merged)),
      evaluate(o.evaluate),
    ),
  );
};
