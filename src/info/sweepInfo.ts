/** What there is to know of a sweep. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import type { RunResult } from "../report/result.ts";
import { readRun } from "../runs/readRun.ts";
import { sweepFile } from "../runs/runsIn.ts";
import type { Extent } from "../sweep/advance.ts";
import { readFailures, type Failures } from "../sweep/failures.ts";
import { jobsOf } from "../sweep/jobs.ts";
import { placed, withAnswers } from "../sweep/placed.ts";
import { readSweep } from "../sweep/readSweep.ts";
import type { Sweep } from "../sweep/sweep.ts";

/** A job of a sweep: the name of its folder, how far it is, and what it has found where it has ended. */
export interface SweepJobInfo {
  readonly name: string;
  readonly extent: Extent;
  readonly result: RunResult | null;
  /** Why it has failed, as far as the folder of the sweep says so. */
  readonly failure: string | null;
}

/** A sweep. */
export interface SweepInfo {
  readonly kind: "sweep";
  readonly folder: string;
  readonly sweep: Sweep;
  readonly jobs: readonly SweepJobInfo[];
}

/** Tells of the sweep in a folder. Fails where its file cannot be read, or a folder has the run of another job. */
export const readSweepInfo = (folder: string, files: Files): TE.TaskEither<Failure, SweepInfo> =>
  pipe(
    readSweep(join(folder, sweepFile), { files }),
    // The folder may have been moved since.
    TE.map((sweep): Sweep => ({ ...sweep, out: folder })),
    TE.bindTo("sweep"),
    TE.bind("failures", () => TE.fromTask<Failures, Failure>(readFailures(folder, files))),
    TE.bind("jobs", ({ sweep, failures }) =>
      pipe(
        TE.fromEither(jobsOf(sweep)),
        TE.chain(
          TE.traverseSeqArray(({ name, job }) =>
            pipe(
              placed([{ name, job }], { files }),
              TE.chain(([one]) => withAnswers(files)(one)),
              TE.bindTo("placement"),
              TE.bind(
                "result",
                ({ placement: { extent } }): TE.TaskEither<Failure, RunResult | null> =>
                  extent === "ended"
                    ? pipe(
                        readRun(job.out, files),
                        TE.map(({ result }) => result),
                      )
                    : TE.right(null),
              ),
              TE.map(({ placement: { extent, damage }, result }): SweepJobInfo => {
                const failure = damage ?? failures[name] ?? null;
                return { name, extent, result, failure: extent === "ended" ? null : failure };
              }),
            ),
          ),
        ),
      ),
    ),
    TE.map(({ sweep, jobs }): SweepInfo => ({ kind: "sweep", folder, sweep, jobs })),
  );
