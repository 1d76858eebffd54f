/** How DualLoRA predicts the task of an image, and corrects its logits (arXiv 2411.00623; a reconstruction, METHODS.md D.5). */
import type { Calibration } from "../stages/index.ts";
import { slotScores } from "./dualloraBranch.ts";
import { slotsOf } from "./dualloraSlots.ts";

/** Options of {@link taskPrediction}; the defaults are ours (METHODS.md D.5). */
export interface TaskPredictionOptions {
  /** Of the softmax over the scores of slots. Default 0.1. */
  readonly temperature?: number;
  /** The least probability of the likeliest task at which logits are corrected. Default 0.5. */
  readonly confidence?: number;
  /** `soft`: log p of a task is added to the logits of its classes. `hard`: the classes of other learned tasks are out. `off`: nothing. Default `soft`. */
  readonly mode?: "soft" | "hard" | "off";
}

/** Keeps a logarithm finite. */
const guard = 1e-6;

/**
 * Predicts which task an image is of from the scores of the slots, and corrects the logits of the learned tasks' classes where it is confident. Classes of
 * tasks that are not learned yet are left as they are.
 */
export const taskPrediction = ({ temperature = 0.1, confidence = 0.5, mode = "soft" }: TaskPredictionOptions = {}): Calibration => ({
  name: "taskPrediction",
  options: { temperature, confidence, mode },
  of: (learner, notes) => {
    const own = slotsOf(learner);
    const slots = own.length;
    // Behind a run of another method the first slot is not of the first task.
    const placeOf = new Map(own.map((slot, place) => [slot.position ?? place, place] as const));
    const noted = notes[slotScores];
    if (noted === undefined || mode === "off") return () => 0;
    return (image, position) => {
      const place = placeOf.get(position);
      if (place === undefined) return 0;
      const scores = noted.subarray(image * slots, (image + 1) * slots);
      const top = Math.max(...scores);
      const weights = Array.from(scores, (s) => Math.exp((s - top) / temperature));
      const sum = weights.reduce((a, b) => a + b, 0);
      if (1 / sum < confidence) return 0;
      if (mode === "hard") return scores[place] === top ? 0 : -Infinity;
      return Math.log(weights[place] / sum + guard);
    };
  },
});
