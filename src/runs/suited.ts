/** Whether a model can do what a job asks of it: checked before a device opens. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { isAnswerStream, type Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { readoutFor } from "../model/architecture.ts";
import { hasBranches } from "../model/branch.ts";
import type { Learner } from "../model/learner.ts";
import { networkOf } from "../model/model.ts";
import { layersOf, type LayerChoice } from "../model/network.ts";
import { methodFor } from "../stages/learn.ts";
import { ShapeError } from "../tensor/tensor.ts";
import type { Job } from "./job.ts";
import { methodOf } from "./methodOf.ts";

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

/** The method of a job as it is for a stream. */
const methodIn = (job: Omit<Job, "saveAdapters">, stream: Stream): ReturnType<typeof methodOf> =>
  pipe(
    methodOf(job),
    E.chain((method) => methodFor(method, stream)),
  );

/** Fails with `BadOption` where adapters are to be written of a method that changes weights by more than a LoRA can say. */
const writesAdapters = ({ saveAdapters, ...job }: Job, stream: Stream): E.Either<Failure, void> =>
  saveAdapters !== true
    ? E.right(undefined)
    : pipe(
        methodIn(job, stream),
        E.filterOrElse(
          ({ fullRank }) => fullRank !== true,
          (): Failure => ({
            _tag: "BadOption",
            option: "save-adapters",
            detail: `${job.method.name} changes weights that no LoRA adapter can say; with --set tuned=lora, and no weights of the original model, it can`,
          }),
        ),
        E.asUnit,
      );

/** The name of the branch that the method of a job runs a model through, if there is one. */
const branchOf = (job: Job, stream: Stream): E.Either<Failure, string | undefined> =>
  pipe(
    methodIn(job, stream),
    E.map(({ inference }) => inference?.through?.name),
  );

/** Fails with `BadOption` where the learner of an earlier run has parts that are never merged, and the method of a job does not run the model through them. */
export const keepsBranches = (learner: Learner, stream: Stream, job: Job, earlier: Job | undefined): E.Either<Failure, void> =>
  earlier === undefined || !hasBranches(learner)
    ? E.right(undefined)
    : pipe(
        E.sequenceArray([branchOf(earlier, stream), branchOf(job, stream)]),
        E.filterOrElse(
          ([before, now]) => before === now,
          (): Failure => {
            const [before, now] = [earlier, job].map(({ method }) => method.name);
            const lost = `${now} does not run the model through them, so what they learned would be lost from its first evaluation on`;
            const wayOut = `go on with ${before}, or begin anew with the model alone (--fresh)`;
            return { _tag: "BadOption", option: "method", detail: `${earlier.out} has parts of ${before} that are never merged, and ${lost}; ${wayOut}` };
          },
        ),
        E.asUnit,
      );

/** Fails with `BadOption` where a learner's model does not do what tasks ask for or lacks the layers that a job names, and where no adapters can be written. */
export const suited = (learner: Learner, stream: Stream, job: Job): E.Either<Failure, void> =>
  pipe(
    isAnswerStream(stream) ? E.right(undefined) : E.asUnit(readoutFor(learner.model.architecture)),
    E.chain(() => E.traverseArray(hasLayers(learner, job.method.options))(["towers", "modules"])),
    E.chain(() => writesAdapters(job, stream)),
    E.chain(() => methodIn(job, stream)),
    E.chain(({ suits }) => suits?.(learner, stream) ?? E.right(undefined)),
  );
