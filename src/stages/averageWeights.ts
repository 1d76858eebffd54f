/** Weight averaging: the adapters of a task are the average of what they were along its training, not what they are at its end. */
import { add, affine, constant, max, mul } from "../tensor/ops/elementwise.ts";
import { check } from "../tensor/tensor.ts";
import { summed, sumOf } from "../training/averages.ts";
import type { Trainee } from "../training/trainee.ts";
import { stepStage, type StepStage } from "./stage.ts";

/**
 * Averages the trained groups over the training: their start, and what they are behind step 0, `every`, 2 `every`, …, and behind the last. `adapt` ends with
 * the average (the weight ensemble of ZSCL, arXiv 2303.06628; METHODS.md H.3). It stands behind `update`. Sums are state of the training, so one that goes on
 * ends with the same bits. Of adapters it averages the parameters: of a LoRA that is the mean of its A and of its B, not that of their products.
 *
 * ```ts
 * assert.deepEqual(stage.manifest(stage.averageWeights({ every: 100 })), { name: "averageWeights", options: { every: 100 } });
 * ```
 */
export const averageWeights = ({ every }: { readonly every: number }): StepStage<Trainee, Trainee> =>
  stepStage("averageWeights", { every }, (trainee, tracing): Trainee => {
    check(!(summed in trainee.state), "averageWeights", () => "the weights of this step are averaged already; one average can be taken");
    const due = tracing.hyper("average", [(step) => (step % every === 0 || step === tracing.steps - 1 ? 1 : 0)]);
    const count = tracing.state(summed, [1]);
    // Nothing is summed yet: the start counts, too. Of a step that mixed precision skips nothing counts, and the start is still that of the next one.
    const first = affine(max(affine(count, -1), constant(-1, [1])), 1, 1);
    const sums = trainee.trained.map((name) => {
      const { flat } = trainee.groups[name];
      const start = tracing.state(name, flat.shape);
      return [sumOf(name), add(add(tracing.state(sumOf(name), flat.shape), mul(start, first)), mul(flat, due))] as const;
    });
    return { ...trainee, state: { ...trainee.state, ...Object.fromEntries(sums), [summed]: add(add(count, first), due) } };
  });
