/** What there is to know of a run. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { protocols, taskCount } from "../data/protocols.ts";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Architecture } from "../model/architecture.ts";
import { architectureOf } from "../model/model.ts";
import type { Files } from "../platform/files.ts";
import type { RunResult } from "../report/result.ts";
import type { Job } from "../runs/job.ts";
import { methodOf } from "../runs/methodOf.ts";
import { readRun } from "../runs/readRun.ts";
import { names, newest, readTraining } from "../runs/runFolder.ts";
import { readJob } from "../runs/runOf.ts";

/** A run. */
export interface RunInfo {
  readonly kind: "run";
  readonly folder: string;
  readonly job: Job;
  /** Tasks that it learns, with those of the runs behind it where these are known. */
  readonly tasks: number;
  /** The tasks that it has finished, by their names. */
  readonly finished: readonly string[];
  /** Steps of the task under way that are kept; null where none are. */
  readonly steps: number | null;
  /** The folder of its newest learner; null where no task was finished. */
  readonly model: string | null;
  /** What it has found; null where no task was finished. */
  readonly result: RunResult | null;
  /** Whether what it has learned is of low rank, so that an adapter can say it. */
  readonly lowRank: boolean;
  /** Whether its method distils on reference pictures. */
  readonly distils: boolean;
  /** Whether its method runs the model through a branch that is not in the weights: no model folder or adapter answers as it does. */
  readonly branched: boolean;
}

/** The tasks of a job alone. */
const tasksOf = ({ source }: Job): number => ("folders" in source ? source.folders.length : taskCount(protocols[source.protocol]));

/** What the method of a job says of itself; nothing where it is none. */
const methodFacts = (job: Job): Pick<RunInfo, "distils" | "branched"> => {
  const method = methodOf(job);
  return {
    distils: E.isRight(method) && method.right.reference === true,
    branched: E.isRight(method) && method.right.inference?.through !== undefined,
  };
};

/** Whether a job trains factors of low rank alone: for questions, KeepLoRA trains what connects pictures with a decoder in full. */
export const isLowRank = ({ method: { name, options = {} } }: Pick<Job, "method">, { decoder }: Pick<Architecture, "decoder">): boolean =>
  decoder?.pictures === undefined || !name.startsWith("keeplora") || options.protect === "features";

/** The same of the learner in a folder; where that cannot be told, nothing speaks against it. */
const hasLowRank = (job: Job, folder: string | undefined, files: Files): TE.TaskEither<Failure, boolean> =>
  folder === undefined
    ? TE.right(true)
    : pipe(
        architectureOf(folder, { files }),
        TE.map((architecture) => isLowRank(job, architecture)),
        TE.orElse(() => TE.right<Failure, boolean>(true)),
      );

/** Tells of the run in a folder. Fails where a file of it cannot be read. */
export const readRunInfo = (folder: string, files: Files): TE.TaskEither<Failure, RunInfo> =>
  pipe(
    TE.Do,
    TE.bind("job", () => readJob(folder, files)),
    TE.bind("last", ({ job }) => newest(job, files)),
    TE.bind("run", () =>
      pipe(
        TE.fromTask<boolean, Failure>(files.exists(join(folder, names.result))),
        TE.chain((there) => (there ? readRun(folder, files) : TE.right(undefined))),
      ),
    ),
    TE.bind("within", () => readTraining(folder, files)),
    TE.bind("lowRank", ({ job, last }) => hasLowRank(job, last?.folder, files)),
    TE.map(({ job, last, run, within, lowRank }): RunInfo => {
      const finished = run?.result.datasets ?? [];
      return {
        kind: "run",
        folder,
        job,
        tasks: Math.max(run?.tasks ?? tasksOf(job), finished.length),
        finished,
        // A state of a task that was finished since has been overtaken.
        steps: within !== undefined && within.reached.reports.length === finished.length ? within.kept.training.step : null,
        model: last?.folder ?? null,
        result: run?.result ?? null,
        lowRank,
        ...methodFacts(job),
      };
    }),
  );
