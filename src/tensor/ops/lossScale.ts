/** What follows from whether gradients are finite: the next scale of a loss, and which of two states stays. */
import { oneStep } from "../../kernels/expression.ts";
import { input, launch, output } from "../../kernels/launch.ts";
import { broadcastPattern } from "../../kernels/pattern.ts";
import { applyAll, check, floats, sameShape, show, size, type Tensor } from "../tensor.ts";
import { compute } from "./expression.ts";

/** How the scale of a loss moves: powers of two, and good steps in a row after which it doubles. */
export interface ScaleSteps {
  readonly first: number;
  readonly largest: number;
  readonly patience: number;
}

/**
 * The state of a scale behind a step, [2]: the scale less the first one, and the good steps in a row. `fine` [1] is 1 where `sum` [1], that of all gradients,
 * is finite, else 0.
 */
export const updateScale = (sum: Tensor, state: Tensor, steps: ScaleSteps): { readonly fine: Tensor; readonly state: Tensor } => {
  check(size(sum.shape) === 1 && size(state.shape) === 2, "loss scale", () => `the sum ${show(sum)} and the state ${show(state)}`);
  // The state is overwritten: it is bound as an output alone.
  const lower = () => [launch("loss-scale", { ...steps }, [input(0), output(0), output(1)], [1, 1, 1])];
  const [next, fine] = applyAll({ name: "loss scale", inPlace: [1], lower }, [sum, state], [floats([2]), floats([1])]);
  return { fine, state: next };
};

/** `a` where `condition` [1] is not 0, else `b`, which may be anything then. It has no gradient. */
export const where = (condition: Tensor, a: Tensor, b: Tensor): Tensor => {
  check(size(condition.shape) === 1 && sameShape(a.shape, b.shape), "where", () => `${show(condition)} chooses ${show(a)} or ${show(b)}`);
  const meeting = broadcastPattern(a.shape, condition.shape)!;
  return compute(
    "where",
    oneStep("where"),
    [
      [condition, meeting],
      [a, "same"],
      [b, "same"],
    ],
    a.shape,
  );
};
