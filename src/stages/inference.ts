/** What a method's evaluation has beside the options of its user; whoever asks its learner later needs it, too. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import { hasBranches, type Branch } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import type { Adaptation } from "./adaptation.ts";

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
  /** What the model is trained on of every picture before it is answered. */
  readonly adaptation?: Adaptation;
}

/** A learner, and what is known of it beside what it keeps itself. */
export interface Predictor {
  readonly learner: Learner;
  /** What its method evaluates through; empty where that is the model as it is. */
  readonly inference?: Inference;
  /** How many classes each task had that it has learned, in their order. Without them no calibration corrects its logits. */
  readonly tasks?: readonly number[];
  /** How it was asked while it learned, where its run said so: the default of whoever asks it. */
  readonly asking?: { readonly chat?: string; readonly context?: number };
}

/** Fails where the answers of a learner would not be those of its method. */
export const answerable = ({ learner, inference }: Predictor): E.Either<Failure, void> =>
  inference === undefined && hasBranches(learner)
    ? E.left({
        _tag: "BadOption",
        option: "model",
        detail: "the learner remembers branches that only its method runs the model through, and its method is not known; give the folder of its run",
      })
    : E.right(undefined);
