/** Whether a model can do what a job asks of it: checked before a device opens. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { isAnswerStream, type Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { readoutFor } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf } from "../model/model.ts";
import { layersOf, type LayerChoice } from "../model/network.ts";
import { ShapeError } from "../tensor/tensor.ts";
import type { Job } from "./job.ts";

/** Fails with `BadOption` where the layers that an option chooses are none of the model's. */
const hasLayers =
  ({ model }: Learner, options: Job["method"]["options"]) =>
  (option: keyof LayerChoice): E.Either<Failure, void> => {
    const choice = options[option] ?? "all";
    if (choice === "all") return E.right(undefined);
    return E.tryCatch(
      () => void layersOf(networkOf(model), { modules: "all", towers: "all", [option]: [choice].flat() }),
      (error): Failure => {
        if (!(error instanceof ShapeError)) throw error;
        return { _tag: "BadOption", option, detail: error.detail };
      },
    );
  };

/** Fails with `BadOption` where a learner's model does not do what tasks ask for, or lacks the layers that a job names. */
export const suited = (learner: Learner, stream: Stream, { method: { options } }: Pick<Job, "method">): E.Either<Failure, void> =>
  pipe(
    isAnswerStream(stream) ? E.right(undefined) : E.asUnit(readoutFor(learner.model.architecture)),
    E.chain(() => E.traverseArray(hasLayers(learner, options))(["towers", "modules"])),
    E.asUnit,
  );
