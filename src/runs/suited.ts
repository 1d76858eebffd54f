/** Whether a model can do what a job asks of it: checked before a device opens. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { isAnswerStream, type Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { readoutFor } from "../model/architecture.ts";
import type { Learner } from "../model/learner.ts";

/** Fails with `BadOption` where a learner's model does not do what the tasks of a stream ask for. */
export const suited = ({ model }: Learner, stream: Stream): E.Either<Failure, void> =>
  isAnswerStream(stream)
    ? E.right(undefined)
    : pipe(
        readoutFor(model.architecture),
        E.map(() => undefined),
      );
