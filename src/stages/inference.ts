/** What a method's evaluation has beside the options of its user; whoever asks its learner later needs it, too. */
import type { Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";

/** Corrects the logits of an image: what is added to those of each task's classes, by the position of the task, from what a branch noted of the image. */
export interface Calibration {
  readonly name: string;
  readonly options: unknown;
  readonly of: (learner: Learner, notes: Readonly<Record<string, Float32Array>>) => (image: number, position: number) => number;
}

/** What a learner is run through, and what corrects its logits. */
export interface Inference {
  /** A part of the model that is not merged. */
  readonly through?: Branch;
  readonly calibration?: Calibration;
}
