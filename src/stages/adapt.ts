/** `adapt`: attaches adapters to the learner's model and trains them. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { classNamesOf } from "../data/task.ts";
import type { Adapter } from "../model/adapters/adapter.ts";
import { classifying } from "../model/adapters/heads.ts";
import { through, type Branch } from "../model/branch.ts";
import { networkOf } from "../model/model.ts";
import { random } from "../random.ts";
import { averaged } from "../training/averages.ts";
import type { Lesson, WithAdapters, WithBatches } from "../training/lesson.ts";
import { adapterFits } from "../training/limits.ts";
import type { OutputNeed } from "../training/objective.ts";
import { train } from "../training/train.ts";
import { inherited, manifest, taskStage, type TaskStage } from "./stage.ts";
import type { Steps } from "./steps.ts";

/** What stages may need of an adapter: its groups, and the gradients of those that are trained. */
export type Provided<G extends string, T extends G> = G | `∂${T}`;

/** Options of {@link adapt}. */
export interface AdaptOptions<L, G extends string, T extends G, N extends Provided<G, T> | OutputNeed> {
  /** A function where it depends on the lesson: on directions that were chosen, say. */
  readonly adapters: Adapter<G, T> | ((lesson: L) => Adapter<G, T>);
  /** The steps of the training, and how many. What they need must be among what the adapter provides, and what the architecture gives. */
  readonly steps: Steps<N>;
  /** A part of the model that is not merged, under the adapters. */
  readonly through?: Branch;
}

const described = <L>({ adapters, steps, through: branch }: AdaptOptions<L, any, any, any>): object => ({
  ...(typeof adapters === "function" ? { adapters: "of the lesson" } : { [adapters.name]: adapters.options }),
  steps: steps.count,
  step: manifest(steps.step),
  ...(branch === undefined ? {} : { through: { [branch.name]: branch.options } }),
});

/**
 * Trains adapters on the batches of a task; the model under them stays as it is. An architecture without logits of its own gets a linear head for the task's
 * classes, unless its adapters have a part in the logits already. Fails with `NotFinite`, `Interrupted`, `OverLimit` where the
 * adapters do not fit on the device, or what a sample or the device says.
 */
export const adapt = <L extends Lesson & WithBatches, G extends string, T extends G, N extends Provided<G, T> | OutputNeed>(
  options: AdaptOptions<L, G, T, N>,
): TaskStage<L, L & WithAdapters<G>, Extract<N, OutputNeed>> => ({
  ...taskStage<L, L & WithAdapters<G>, Extract<N, OutputNeed>>("adapt", described(options), (lesson) => (runtime) => {
    const { learner, task, position, batches } = lesson;
    const { model, memory } = learner;
    const { adapters, steps, through: branch } = options;
    const attached: Adapter<any> = typeof adapters === "function" ? adapters(lesson) : adapters;
    const adapter = classifying(model.architecture, classNamesOf(task).length, attached);
    const count = typeof steps.count === "number" ? steps.count : batches.steps;
    const onSteps = (first: number, losses: readonly Readonly<Record<string, number>>[]): void =>
      losses.forEach((l, i) => runtime.emit({ type: "step", task: task.name, position, step: first + i, steps: count, losses: l }));
    const onMemory = (weights: number, rest: number): void => runtime.emit({ type: "memory", task: task.name, position, weights, rest });
    runtime.emit({ type: "training", task: task.name, position, steps: count });
    const { from, checkpoint } = runtime.keep?.training?.() ?? {};
    return pipe(
      TE.fromEither(adapterFits(runtime.device, networkOf(model), adapter)),
      TE.map(() => from ?? { step: 0, values: adapter.initial(networkOf(model), model.weights, runtime.seed, position), moments: {} }),
      TE.chain((start) =>
        train({
          model,
          adapter,
          steps,
          batches,
          from: start,
          checkpoint,
          onMemory,
          onSteps,
          position,
          memory,
          base: (plain, tracing) => through(branch, learner, plain, tracing.constant),
          seed: random(runtime.seed, "steps", position).integer(2 ** 31),
        })(runtime),
      ),
      TE.map((training) => ({ ...lesson, adapters: { adapter, values: averaged(training) } })),
    );
  }),
  ...inherited(options.steps.step),
  ...(typeof options.adapters !== "function" && options.adapters.fullRank === true ? { fullRank: true } : {}),
});
