/**
 * The scale of the loss in mixed precision: products narrow gradients to f16, in which small ones would become zero. So a loss is differentiated that is a
 * power of two times as large, and its gradients are divided by that, which is exact (Micikevicius et al., 2018).
 *
 * The scale finds itself, on the device. Where a gradient is not finite it was too large: such a step changes nothing but the scale, which halves. After so
 * many good steps in a row it doubles. It is state of the training, so one that goes on has the same bits. The first step is made until it is good
 * (untilFinite.ts).
 */
import type { Leaves } from "../tensor/leaves.ts";
import { add, affine, div, mul } from "../tensor/ops/elementwise.ts";
import { updateScale, where, type ScaleSteps } from "../tensor/ops/lossScale.ts";
import { total } from "../tensor/ops/reduce.ts";
import { inputsOf, reshape, view, type Tensor } from "../tensor/tensor.ts";

const steps: ScaleSteps = { first: 2 ** 16, largest: 2 ** 24, patience: 200 };

/** Below this scale a gradient is not finite for another reason than its size. */
export const leastScale = 1;

/** The name of what is recorded of it. */
export const scaleName = "lossScale";
/** The name of its state. */
export const scaleState = "loss scale";

/** The scale that a training begins with. */
export const firstScale: number = steps.first;

/** The scale that a value of its state stands for: states begin with zeros. */
export const scaleOf = ([beyondFirst]: Float32Array): number => firstScale + beyondFirst;

/** Its state with a scale, behind one good step. */
export const stateOf = (scale: number): Float32Array => Float32Array.of(scale - firstScale, 1);

/** The scale of the loss in a step that is traced. */
export interface LossScale {
  /** The scale [1]. */
  readonly value: Tensor;
  /** The loss as it is differentiated. */
  readonly scaled: (loss: Tensor) => Tensor;
  /** Gradients of the loss, from those of the scaled loss. */
  readonly unscaled: (gradients: Tensor) => Tensor;
  /** A number [1] that is 0 where a gradient of the step, as far as it is traced, is not finite; undefined where it has none. Updates in place take it. */
  readonly fine: () => Tensor | undefined;
  /** States behind the step, its own among them; each stays as it was where a gradient was not finite. */
  readonly settled: (after: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>;
}

/** Whether a value is what updates in place have made of another, which all keep it where `fine` is 0. */
const isKept = ({ node, output }: Tensor, before: Tensor, fine: Tensor): boolean => {
  if (node === before.node) return true;
  const updated = node.kind === "apply" && node.inputs.includes(fine) ? node.op.inPlace?.[output] : undefined;
  return updated !== undefined && isKept(inputsOf(node)[updated], before, fine);
};

/** The scale of the loss in a step, whose states are known by name. */
export const lossScale = ({ state }: Pick<Leaves, "state">): LossScale => {
  const own = state(scaleState, [2]);
  const value = affine(view(own, 0, [1]), 1, steps.first);
  // A sum is finite where all that it is of is.
  let sum: Tensor | undefined;
  let behind: ReturnType<typeof updateScale> | undefined;
  const known = (): typeof behind => (behind ??= sum && updateScale(sum, own, steps));
  return {
    value,
    scaled: (loss) => mul(loss, reshape(value, loss.shape)),
    unscaled: (gradients) => {
      sum = sum === undefined ? total(gradients) : add(sum, total(gradients));
      behind = undefined;
      return div(gradients, value);
    },
    fine: () => known()?.fine,
    settled: (after) => {
      const scaled = known();
      if (scaled === undefined) return after;
      const kept = Object.entries(after).map(([name, t]): [string, Tensor] => {
        const before = state(name, t.shape);
        return [name, isKept(t, before, scaled.fine) ? t : where(scaled.fine, t, before)];
      });
      return { ...Object.fromEntries(kept), [scaleState]: scaled.state };
    },
  };
};
