/** What adapts a model to every picture before it is answered, as a value. */
import * as E from "fp-ts/lib/Either.js";
import type { Augment } from "../data/augment.ts";
import type { Failure } from "../failure.ts";
import type { Adapter } from "../model/adapters/adapter.ts";
import type { Learner } from "../model/learner.ts";
import type { Steps } from "../training/step.ts";

/** A training before every answer, as a value of an `Inference`. */
export interface Adaptation {
  readonly name: string;
  readonly options: unknown;
  /** What is trained for each picture. */
  readonly adapters: Adapter<any>;
  /** The steps of one picture's training, a number of them; each sees the views that are confident before it. */
  readonly steps: Steps<any>;
  /** Pictures a batch: the one that is answered, and random views of it. */
  readonly views: number;
  /** How the random views are made. */
  readonly augment: Augment;
  /** The share of the views that is trained on: those whose predictions have the least entropy. */
  readonly confident: number;
  /** The share of their patches that a loss may hide. Default 0: none. */
  readonly hidden?: number;
  /** Of what is random: it is the same for every picture, so that an answer does not depend on what else was asked. Default 0. */
  readonly seed?: number;
}

/** Why pictures of a learner cannot be adapted to, if so. */
export const adaptable = ({ model: { architecture } }: Learner, adaptation: Adaptation | undefined): E.Either<Failure, void> => {
  const bad = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option: "method", detail });
  if (adaptation === undefined) return E.right(undefined);
  if (architecture.readout?.texts === undefined)
    return bad(`test-time training compares views of a picture with the texts of classes, and a ${architecture.name} reads none`);
  return typeof adaptation.steps.count === "number" ? E.right(undefined) : bad("test-time training takes a number of steps");
};
