/** Updates of flat parameter buffers, in place on the device. Each may be given a number, `fine` [1]: where that is 0, everything stays as it was. */
import { updateLaunches, type UpdateKernel } from "../../kernels/windows.ts";
import { applyAll, check, floats, sameShape, show, size, type Tensor } from "../tensor.ts";

/** An update of tensors of one shape in place: of gradients, numbers, and what is updated. */
const updateOf = (
  name: string,
  kernel: Pick<UpdateKernel, "kernel" | "constants">,
  [gradients, numbers, updated]: readonly [readonly Tensor[], Tensor, readonly Tensor[]],
  fine?: Tensor,
): readonly Tensor[] => {
  const [{ shape }] = updated;
  for (const t of [...gradients, ...updated]) check(sameShape(t.shape, shape), name, () => `${show(t)} for ${show(updated[0])}`);
  check(fine === undefined || size(fine.shape) === 1, name, () => `${show(fine!)} is not one number`);
  const first = gradients.length + 1;
  const whole: UpdateKernel = { ...kernel, gradients: gradients.length, updated: updated.length, keeps: fine !== undefined };
  return applyAll(
    { name, inPlace: updated.map((_, i) => first + i), lower: (bounds) => updateLaunches(bounds, size(shape), whole) },
    [...gradients, numbers, ...updated, ...(fine === undefined ? [] : [fine])],
    updated.map(() => floats(shape)),
  );
};

/**
 * One AdamW step with decoupled weight decay, in torch's order of operations.
 * `hyper` is [lr, β1, β2, eps, weight decay, 1-β1ᵗ, 1-β2ᵗ, gradient scale]; returns the new parameters and moments.
 */
export const adamwUpdate = (grad: Tensor, hyper: Tensor, p: Tensor, m: Tensor, v: Tensor, fine?: Tensor): readonly [p: Tensor, m: Tensor, v: Tensor] => {
  check(size(hyper.shape) === 8, "adamw", () => `hyper ${show(hyper)}`);
  const [a, b, c] = updateOf("adamw", { kernel: "adamw" }, [[grad], hyper, [p, m, v]], fine);
  return [a, b, c];
};

/** One SGD step; `hyper` is [lr, momentum, weight decay, gradient scale]. Returns the new parameters and momentum. */
export const sgdUpdate = (grad: Tensor, hyper: Tensor, p: Tensor, m: Tensor, fine?: Tensor): readonly [p: Tensor, m: Tensor] => {
  check(size(hyper.shape) === 4, "sgd", () => `hyper ${show(hyper)}`);
  const [a, b] = updateOf("sgd", { kernel: "sgd" }, [[grad], hyper, [p, m]], fine);
  return [a, b];
};

/**
 * The proximal step of an L1 penalty (CoDyRA, METHODS.md A.3): shrinks every element towards zero by `kappa` [1].
 * `paper`: |g| ≤ κ becomes 0. `code`: the authors' three sequential statements, whose dead zone is 2κ.
 */
export const shrink = (g: Tensor, kappa: Tensor, variant: "paper" | "code", fine?: Tensor): Tensor => {
  check(size(kappa.shape) === 1, "softThreshold", () => `threshold ${show(kappa)}`);
  return updateOf("softThreshold", { kernel: "soft-threshold", constants: { CODE: variant === "code" } }, [[], kappa, [g]], fine)[0];
};
