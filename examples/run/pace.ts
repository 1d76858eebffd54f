/** Learning rates for short runs. */
import { methods, type MethodName, type MethodOptions } from "../../src/methods/table.ts";

/**
 * The product of learning rate and steps that a method was tuned for by its authors: Adam moves a parameter by about the learning rate a step, so a run with
 * fewer steps goes as far with a higher rate. These are of methods whose defaults do not say it, or say another (METHODS.md B.6, C.6, D.7). KeepLoRA: 1e-3 for
 * about 1,250 steps, 10 epochs of a middling dataset of MTIL. DualLoRA and InfLoRA: 5e-4 for 780 steps, 20 epochs of ten classes of CIFAR-100.
 */
const distances: Readonly<Partial<Record<MethodName, number>>> = {
  keeplora: 1.25,
  "keeplora++": 1.25,
  "keeplora+": 1.25,
  "keeplora++cls": 1.25,
  dac: 1,
  duallora: 0.39,
  inflora: 0.39,
};

/** All others go nearly as far as their defaults: 0.24 where these are 5e-4 for 500 steps. */
const nearly = 0.96;

/** How far the defaults of a method go; 0 where it has no learning rate. */
const declared = (method: MethodName): number => {
  const { lr, steps } = methods[method]().options as MethodOptions;
  return typeof lr === "number" && typeof steps === "number" ? nearly * lr * steps : 0;
};

/** Fewer steps than these do not make up for themselves by a higher rate: it would only do damage. */
const fewest = 30;

/** The learning rate of a method for so many steps a task; 0 of a method that has none. */
export const paced = (method: MethodName, steps: number): number => (distances[method] ?? declared(method)) / Math.max(steps, fewest);
