/** The flag that says which values pixels have. */
import type { Pixels } from "../data/pixels.ts";
import type { Job } from "../runs/job.ts";
import { oneOf, optional } from "./flags.ts";

/** The flag `--pixels`. */
export const pixelsFlag = optional(
  oneOf("model", "unit"),
  "WHICH",
  "values of pixels: as the model's folder says (model, with its crop), or from 0 to 1 (unit, with a preset's crop); the learner keeps that",
  "the method's in the preset, or model",
);

/** The pixels of a job, where they are not the model's: a flag wins over a preset, whose crop stays with it. */
export const pixelsOf = (flag: "model" | "unit" | undefined, ofPreset?: Pixels): Pick<Job, "pixels"> => {
  if (flag === "unit") return { pixels: { ...ofPreset, mean: [0, 0, 0], std: [1, 1, 1] } };
  return flag === "model" || ofPreset === undefined ? {} : { pixels: ofPreset };
};
