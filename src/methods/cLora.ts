/**
 * C-LoRA: self-regularised low-rank adaptation (Smith et al., arXiv 2304.06027; METHODS.md H). A task's update is kept away from those entries of a weight that
 * earlier tasks have changed: the penalty is ‖ |Σ_{i<t} B_i A_i| ⊙ B_t A_t ‖².
 */
import { lora } from "../model/adapters/lora.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import { merge } from "../stages/merge.ts";
import { imageToText, objective, sum, textToImage, weighted, type Objective } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { past, pastOf } from "../subspace/past.ts";
import { project } from "../stages/project.ts";
import { byTask, cosine } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import { add, constant, mul, square } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { sum as total } from "../tensor/ops/reduce.ts";
import { loraDefaults, type LoraMethodOptions } from "./baselines.ts";
import type { Complete } from "./options.ts";

/** ‖ |Σ_{i<t} B_i A_i| ⊙ B_t A_t ‖² over all modules; 0 at the first task. */
export const changedEntries: Objective<"A" | "B"> = objective("changedEntries", ({ trainee: { groups }, tracing }) => {
  const [rows, columns] = [pastOf("A", tracing), pastOf("B", tracing)];
  const terms = [...groups.A.views]
    .filter(([name]) => rows.has(name))
    .map(([name, A]) => {
      const before = matmul(tracing.constant(`past B of ${name}`, columns.get(name)!), tracing.constant(`past A of ${name}`, rows.get(name)!), { ta: true });
      return total(square(mul(before, matmul(groups.B.views.get(name)!, A))));
    });
  return terms.length === 0 ? constant(0, []) : terms.reduce(add);
});

/** Options of {@link cLora}. */
export interface CLoraOptions extends LoraMethodOptions {
  /** The weight of the penalty, λ; it depends on the size of the updates, and is our choice. Default 1e4. */
  readonly regularisation?: number;
}

/** C-LoRA as a method; queries and values are adapted. */
export const cLora = (options: CLoraOptions = {}): Method => {
  const o: Complete<CLoraOptions> = { ...loraDefaults, modules: ["q", "v"], regularisation: 1e4, ...options };
  return method(
    "c-lora",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
        steps: repeat(
          o.steps,
          gradient(sum(imageToText, textToImage, weighted(o.regularisation, changedEntries))),
          update(adamW({ lr: byTask(o.lr, cosine), betas: o.betas, weightDecay: o.weightDecay })),
        ),
      }),
      project(past("A")),
      project(past("B")),
      merge(),
      evaluate(o.evaluate),
    ),
  );
};
