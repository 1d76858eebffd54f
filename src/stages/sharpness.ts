/** `sharpnessAware`: the gradient of an objective, steered towards flat directions by the gradient where the loss nearby is largest. */
import { add, affine, constant, div, max, mul, scale, sqrt, sub } from "../tensor/ops/elementwise.ts";
import { total } from "../tensor/ops/reduce.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Objective } from "../training/objective.ts";
import { givesOutputs } from "../training/suits.ts";
import { withFlat, type Graded, type Trainee } from "../training/trainee.ts";
import { stepStage, type StepStage } from "./stage.ts";
import { recordLoss, slopesOf } from "./steps.ts";

type Gradients = Graded["gradients"];

/** What becomes of the gradient at the parameters, from it and from the one at the sharpest point nearby. */
export interface Steering {
  readonly name: string;
  readonly options: unknown;
  readonly of: (own: Gradients, sharp: Gradients) => Gradients;
}

/** Keeps a quotient finite where its divisor is 0. */
const tiny = 1e-24;

const combined = (a: Gradients, b: Gradients, of: (x: Tensor, y: Tensor) => Tensor): Gradients =>
  Object.fromEntries(Object.entries(a).map(([name, g]) => [name, of(g, b[name])]));

/** The inner product of all gradients with others [1]. */
const dot = (a: Gradients, b: Gradients): Tensor =>
  Object.keys(a)
    .map((name) => total(mul(a[name], b[name])))
    .reduce(add);

/**
 * (1 − share) g + share g', which is the gradient of the loss with a penalty on the norm of its gradient, to first order (Zhao et al., arXiv 2202.03599). With
 * a share of 1 it is sharpness-aware minimisation itself, with 0 plain descent.
 *
 * ```ts
 * assert.deepEqual(stage.blended(0.25).options, { share: 0.25 });
 * ```
 */
export const blended = (share: number): Steering => ({
  name: "blended",
  options: { share },
  of: (own, sharp) => combined(own, sharp, (g, s) => add(scale(g, 1 - share), scale(s, share))),
});

/**
 * g without what points against g': g − min(0, ⟨g, g'⟩) / ‖g'‖² · g'. Where they agree g stays as it is (the projection of PCGrad, arXiv 2001.06782).
 *
 * ```ts
 * const step = stage.sharpnessAware(objective.imageToText, { rho: 0.1, steering: stage.withoutConflict });
 * assert.deepEqual(step.options, { objective: "imageToText", rho: 0.1, steering: { withoutConflict: undefined } });
 * ```
 */
export const withoutConflict: Steering = {
  name: "withoutConflict",
  options: undefined,
  of: (own, sharp) => {
    const against = max(affine(dot(own, sharp), -1), constant(0, [1]));
    const factor = div(against, affine(dot(sharp, sharp), 1, tiny));
    return combined(own, sharp, (g, s) => add(g, mul(s, factor)));
  },
};

/** Options of {@link sharpnessAware}. */
export interface SharpnessOptions {
  /** How far the sharpest point nearby is, as the norm of a step along the gradient of all groups together. Default 0.05. */
  readonly rho?: number;
  /** How the gradient there steers the one here. Default: their mean. */
  readonly steering?: Steering;
}

/**
 * The gradient of an objective g, steered by g' = ∇L(θ + ρ g/‖g‖), the gradient of the same batch where sharpness-aware minimisation looks for the largest
 * loss nearby (Foret et al., arXiv 2010.01412). It costs a second forward and backward pass. `sharpness`, L(θ + ρ g/‖g‖) − L(θ), is recorded.
 */
export const sharpnessAware = <N extends string = never>(
  objective: Objective<N>,
  { rho = 0.05, steering = blended(0.5) }: SharpnessOptions = {},
): StepStage<Trainee, Graded, N> => ({
  ...stepStage<Trainee, Graded, N>(
    "sharpnessAware",
    { objective: objective.name, rho, steering: { [steering.name]: steering.options } },
    (trainee, tracing): Graded => {
      const { groups, parts } = trainee;
      const here = slopesOf(objective, trainee, tracing);
      recordLoss(here, tracing);
      const { gradients } = here;
      const length = div(constant(rho, [1]), affine(sqrt(dot(gradients, gradients)), 1, 1e-12));
      const moved = Object.keys(gradients).map((name) => [name, withFlat(groups[name], add(groups[name].flat, mul(gradients[name], length)))] as const);
      // A part that is computed again is a new object, so that dropout draws for it what it drew before.
      const there = slopesOf(
        objective,
        { ...trainee, groups: { ...groups, ...Object.fromEntries(moved) }, parts: parts.map((part) => ({ ...part })) },
        tracing,
      );
      tracing.record("sharpness", sub(there.loss, here.loss));
      return { ...trainee, gradients: steering.of(gradients, there.gradients) };
    },
  ),
  suits: givesOutputs(objective),
});
