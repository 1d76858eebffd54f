/** The files of a run that grow while it goes on. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Appender, Files } from "../platform/files.ts";
import type { Job } from "./job.ts";
import { predictionsTo, type Predictions } from "./predictions.ts";
import { names, type Reached } from "./runFolder.ts";

/** The files of a run that grow. */
export interface Growing {
  readonly log: Appender;
  /** Where the job asks for them. */
  readonly predictions?: Predictions;
}

/** Opens a file that grows, as long as it was when the run was kept; uses it, and closes it whatever happens. */
const appending = <A>(path: string, from: number | undefined, files: Files, use: (file: Appender) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  pipe(
    files.append(path, from),
    TE.chain((file) => () => use(file)().finally(file.close)),
  );

/** Uses the growing files of a job, which has reached something before or nothing. */
export const whileGrowing = <A>(
  { out, predictions }: Job,
  reached: Pick<Reached, "logged" | "predicted"> | undefined,
  files: Files,
  use: (growing: Growing) => TE.TaskEither<Failure, A>,
): TE.TaskEither<Failure, A> =>
  appending(join(out, names.log), reached?.logged, files, (log) =>
    predictions === true
      ? appending(join(out, names.predictions), reached?.predicted, files, (file) => use({ log, predictions: predictionsTo(file) }))
      : use({ log }),
  );
