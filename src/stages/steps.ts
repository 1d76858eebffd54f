/** Adapting, at the scale of a step: the gradient of an objective, the update of an optimiser, and their repetition. */
import { gradient as differentiate } from "../tensor/gradient.ts";
import { pack, type Tensor } from "../tensor/tensor.ts";
import { views } from "../tensor/layout.ts";
import { evaluateObjective, type Objective } from "./objective.ts";
import type { Optimizer } from "./optimizer.ts";
import { step, stepStage, type Stage, type StepStage } from "./stage.ts";
import { encodeBatch, type Graded, type Group, type Trainee } from "./trainee.ts";
import type { URI } from "fp-ts/lib/ReaderEither.js";
import type { Tracing } from "./tracing.ts";

/** Encodes the batch, evaluates the objective and differentiates it with respect to every group of the trainee. */
export const gradient = (objective: Objective): StepStage<Trainee, Graded> =>
  stepStage("gradient", { objective: objective.name }, (trainee, tracing): Graded => {
    const { loss, terms } = evaluateObjective(objective, encodeBatch(trainee, tracing));
    tracing.record("loss", loss);
    if (terms.length > 1) terms.forEach(([name, value]) => tracing.record(name, value));
    const names = Object.keys(trainee.groups);
    const parts = names.map((name) => [...trainee.groups[name].views.values()]);
    const grads = differentiate(loss, parts.flat());
    let at = 0;
    return {
      ...trainee,
      gradients: Object.fromEntries(
        names.map((name, i) => {
          const own = grads.slice(at, (at += parts[i].length));
          const { entries, length } = trainee.groups[name].layout;
          return [name, pack(own, entries.map((e) => e.offset), length)];
        }),
      ),
    };
  });

/** The group with other values. */
export const withFlat = (group: Group, flat: Tensor): Group => ({ ...group, flat, views: views(group.layout, flat) });

/** One step of an optimiser on every group. */
export const update = (optimizer: Optimizer): StepStage<Graded, Trainee> =>
  stepStage(`update`, { [optimizer.name]: optimizer.options }, ({ gradients, ...trainee }, tracing): Trainee => {
    const updated = Object.entries(trainee.groups).map(([name, group]) => [name, group, optimizer.update(tracing, name, group, gradients[name])] as const);
    return {
      ...trainee,
      groups: Object.fromEntries(updated.map(([name, group, { flat }]) => [name, withFlat(group, flat)])),
      state: Object.assign({}, trainee.state, ...updated.map(([, , { state }]) => state)),
    };
  });

/** Steps to be repeated: how often, and the arrow of one. */
export interface Steps<N extends string> {
  readonly count: number;
  readonly step: StepStage<Trainee, Trainee, N>;
}

type Arrow<A, B, N extends string> = Stage<URI, Tracing, A, B, N>;

/**
 * So many times the composition of the given step stages.
 *
 * ```ts
 * const steps = repeat(500, gradient(imageToText), update(adamW({ lr: cosine(5e-4) })));
 * assert.equal(steps.count, 500);
 * assert.deepEqual(manifest(steps.step).parts?.map((part) => part.name), ["gradient", "update"]);
 * ```
 */
export function repeat<B, N extends string, M extends string>(count: number, a: Arrow<Trainee, B, N>, b: Arrow<B, Trainee, M>): Steps<N | M>;
export function repeat<B, C, N extends string, M extends string, O extends string>(
  count: number, a: Arrow<Trainee, B, N>, b: Arrow<B, C, M>, c: Arrow<C, Trainee, O>,
): Steps<N | M | O>;
export function repeat<B, C, D, N extends string, M extends string, O extends string, P extends string>(
  count: number, a: Arrow<Trainee, B, N>, b: Arrow<B, C, M>, c: Arrow<C, D, O>, d: Arrow<D, Trainee, P>,
): Steps<N | M | O | P>;
export function repeat(count: number, ...stages: readonly Arrow<any, any, any>[]): Steps<any> {
  return { count, step: stages.reduce((x, y) => step.compose(x, y)) };
}
