/** Whether a model is one for an objective, and for layers that are chosen: asked before anything runs. */
import * as E from "fp-ts/lib/Either.js";
import type { Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Learner } from "../model/learner.ts";
import { outputsOf } from "../model/model.ts";
import { leafBook } from "../tensor/leaves.ts";
import { ShapeError } from "../tensor/tensor.ts";
import { checkOutputs, type Objective } from "./objective.ts";

/** Whether a learner's model can do what something needs, on a stream. Fails with a sentence that says what it lacks. */
export type Suits = (learner: Learner, stream: Stream) => E.Either<Failure, void>;

/** A check that throws a `ShapeError` as one that fails with `ShapeMismatch`. */
export const suitsWhere =
  (check: (learner: Learner) => void): Suits =>
  (learner) =>
    E.tryCatch(
      () => check(learner),
      (error): Failure => {
        if (!(error instanceof ShapeError)) throw error;
        return { _tag: "ShapeMismatch", op: error.op, detail: error.detail };
      },
    );

/** Whether a model gives the outputs that an objective needs in every batch. */
export const givesOutputs = (objective: Objective<any>): Suits =>
  suitsWhere(({ model }) => {
    const always = objective.terms.filter(({ outputs, counts }) => counts === undefined && outputs.length > 0);
    if (always.length === 0) return;
    const given = outputsOf(model, leafBook(), { images: 1, texts: 1, length: 1 });
    always.forEach((term) => checkOutputs(term, model.architecture.name, given));
  });
