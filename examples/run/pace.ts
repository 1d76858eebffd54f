/** Learning rates for short runs. */
import type { MethodName } from "../../src/methods/table.ts";

/**
 * The product of learning rate and steps that each method was tuned for by its authors (METHODS.md A.6, B.6, C.6, D.7): Adam moves a parameter by about the
 * learning rate a step, so a run with fewer steps goes as far with a higher rate. KeepLoRA: 1e-3 for about 1,250 steps, 10 epochs of a middling dataset of
 * MTIL. DualLoRA and InfLoRA: 5e-4 for 780 steps, 20 epochs of ten classes of CIFAR-100. The LoRA baselines train as CoDyRA does, 5e-4 for 500 steps, and a
 * little less here.
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

/** Fewer steps than these do not make up for themselves by a higher rate: it would only do damage. */
const fewest = 30;

/** The learning rate of a method for so many steps a task. */
export const paced = (method: MethodName, steps: number): number => (distances[method] ?? 0.24) / Math.max(steps, fewest);
