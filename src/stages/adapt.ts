/** `adapt`: attaches adapters to the learner's model and trains them. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Adapter } from "../model/adapters.ts";
import type { Learner, Lesson, WithAdapters, WithBatches } from "./learner.ts";
import { manifest, taskStage, type TaskStage } from "./stage.ts";
import type { Steps } from "./steps.ts";
import { train } from "./train.ts";

/** Options of {@link adapt}. */
export interface AdaptOptions<G extends string, N extends G> {
  readonly adapters: Adapter<G>;
  /** What is done, how often; what its stages need must be among the adapter's groups. A function where it depends on what the learner remembers. */
  readonly steps: Steps<N> | ((learner: Learner) => Steps<N>);
}

const describeSteps = (steps: Steps<any> | ((learner: Learner) => Steps<any>)): object =>
  typeof steps === "function" ? { steps: "of what the learner remembers" } : { steps: steps.count, step: manifest(steps.step) };

/**
 * Trains adapters on the batches of a task; the model under them stays as it is. Fails with `NotFinite`, `Interrupted`, or what a
 * sample or the device says.
 */
export const adapt = <G extends string, N extends G>(
  { adapters, steps }: AdaptOptions<G, N>,
): TaskStage<Lesson & WithBatches, Lesson & WithBatches & WithAdapters<G>> =>
  taskStage("adapt", { [adapters.name]: adapters.options, ...describeSteps(steps) }, (lesson) => (runtime) => {
    const { learner, task, position, batches } = lesson;
    const { config, weights } = learner.clip;
    const todo = typeof steps === "function" ? steps(learner) : steps;
    const onSteps = (first: number, losses: readonly Readonly<Record<string, number>>[]): void =>
      losses.forEach((l, i) => runtime.emit({ type: "step", task: task.name, position, step: first + i, steps: todo.count, losses: l }));
    runtime.emit({ type: "training", task: task.name, position, steps: todo.count });
    const from = { step: 0, values: adapters.initial(config, weights, runtime.seed, position), moments: {} };
    return pipe(
      train({ config, weights, adapter: adapters, steps: todo, batches, from, onSteps })(runtime),
      TE.map(({ values }) => ({ ...lesson, adapters: { adapter: adapters, values } })),
    );
  });
