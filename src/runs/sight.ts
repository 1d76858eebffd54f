/** The pixels that the learner of a job sees. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import type { Learner } from "../model/learner.ts";
import { seeing } from "../model/pixels.ts";
import type { Placed } from "./placed.ts";

/** A learner that sees the pixels of a job. Fails with `BadOption` where its model sees no images. */
export const seen =
  ({ pixels }: Placed) =>
  (seer: Learner): E.Either<Failure, Learner> =>
    pixels === undefined ? E.right(seer) : E.map((model: Learner["model"]) => ({ ...seer, model }))(seeing(seer.model, pixels));

/** The learner of an earlier run, where a job asks for the pixels that it was taught with, or for none; else fails with `BadOption`. */
export const sameSight =
  (job: Placed) =>
  (before: Learner): E.Either<Failure, Learner> =>
    pipe(
      seen(job)(before),
      E.filterOrElse(
        ({ model }) => JSON.stringify(model.preprocess) === JSON.stringify(before.model.preprocess),
        (): Failure => ({
          _tag: "BadOption",
          option: "pixels",
          detail: `${job.model} has learned from other pixels, and goes on with those; leave them as they are (--pixels model), or begin anew (--fresh)`,
        }),
      ),
      E.map(() => before),
    );
