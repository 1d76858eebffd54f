/** Updates of flat parameter buffers, in place on the device. */
import { updateLaunches } from "../../kernels/windows.ts";
import { applyAll, check, floats, sameShape, show, size, type Tensor } from "../tensor.ts";

/**
 * One AdamW step with decoupled weight decay, in torch's order of operations.
 * `hyper` is [lr, β1, β2, eps, weight decay, 1-β1ᵗ, 1-β2ᵗ, gradient scale]; returns the new parameters and moments.
 */
export const adamwUpdate = (grad: Tensor, hyper: Tensor, p: Tensor, m: Tensor, v: Tensor): readonly [p: Tensor, m: Tensor, v: Tensor] => {
  check(size(hyper.shape) === 8, "adamw", () => `hyper ${show(hyper)}`);
  for (const t of [grad, m, v]) check(sameShape(t.shape, p.shape), "adamw", () => `${show(t)} for parameters ${show(p)}`);
  const [a, b, c] = applyAll(
    { name: "adamw", inPlace: [2, 3, 4], lower: (t) => updateLaunches(t, "adamw", size(p.shape), 1, 3) },
    [grad, hyper, p, m, v],
    [floats(p.shape), floats(p.shape), floats(p.shape)],
  );
  return [a, b, c];
};

/** One SGD step; `hyper` is [lr, momentum, weight decay, gradient scale]. Returns the new parameters and momentum. */
export const sgdUpdate = (grad: Tensor, hyper: Tensor, p: Tensor, m: Tensor): readonly [p: Tensor, m: Tensor] => {
  check(size(hyper.shape) === 4, "sgd", () => `hyper ${show(hyper)}`);
  for (const t of [grad, m]) check(sameShape(t.shape, p.shape), "sgd", () => `${show(t)} for parameters ${show(p)}`);
  const [a, b] = applyAll(
    { name: "sgd", inPlace: [2, 3], lower: (t) => updateLaunches(t, "sgd", size(p.shape), 1, 2) },
    [grad, hyper, p, m],
    [floats(p.shape), floats(p.shape)],
  );
  return [a, b];
};

/**
 * The proximal step of an L1 penalty (CoDyRA, METHODS.md A.3): shrinks every element towards zero by `kappa` [1].
 * `paper`: |g| ≤ κ becomes 0. `code`: the authors' three sequential statements, whose dead zone is 2κ.
 */
export const shrink = (g: Tensor, kappa: Tensor, variant: "paper" | "code"): Tensor => {
  check(size(kappa.shape) === 1, "softThreshold", () => `threshold ${show(kappa)}`);
  return applyAll(
    { name: "softThreshold", inPlace: [1], lower: (t) => updateLaunches(t, "soft-threshold", size(g.shape), 0, 1, { CODE: variant === "code" }) },
    [kappa, g],
    [floats(g.shape)],
  )[0];
};
