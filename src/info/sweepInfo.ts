/** What there is to know of a sweep. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import type { RunResult } from "../report/result.ts";
import { readRun } from "../runs/readRun.ts";
import { sweepFile } from "../runs/runsIn.ts";
import { extentOf, type Extent } from "../sweep/advance.ts";
import { jobsOf } from "../sweep/jobs.ts";
import { readSweep } from "../sweep/readSweep.ts";
import type { Sweep } from "../sweep/sweep.ts";

/** A job of a sweep: the name of its folder, how far it is, and what it has found where it has ended. */
export interface SweepJobInfo {
  readonly name: string;
  readonly extent: Extent;
  readonly result: RunResult | null;
}

/** A sweep. */
export interface SweepInfo {
  readonly kind: "sweep";
  readonly folder: string;
  readonly sweep: Sweep;
  readonly jobs: readonly SweepJobInfo[];
}

/** Tells of the sweep in a folder. Fails where its file, or that of one of its jobs, cannot be read, or a folder has the run of another job. */
export const readSweepInfo = (folder: string, files: Files): TE.TaskEither<Failure, SweepInfo> =>
  pipe(
    readSweep(join(folder, sweepFile), { files }),
    // The folder may have been moved since.
    TE.map((sweep): Sweep => ({ ...sweep, out: folder })),
    TE.bindTo("sweep"),
    TE.bind("jobs", ({ sweep }) =>
      pipe(
        TE.fromEither(jobsOf(sweep)),
        TE.chain(
          TE.traverseSeqArray(({ name, job }) =>
            pipe(
              extentOf(job, files),
              TE.bindTo("extent"),
              TE.bind(
                "result",
                ({ extent }): TE.TaskEither<Failure, RunResult | null> =>
                  extent === "ended"
                    ? pipe(
                        readRun(job.out, files),
                        TE.map(({ result }) => result),
                      )
                    : TE.right(null),
              ),
              TE.map(({ extent, result }): SweepJobInfo => ({ name, extent, result })),
            ),
          ),
        ),
      ),
    ),
    TE.map(({ sweep, jobs }): SweepInfo => ({ kind: "sweep", folder, sweep, jobs })),
  );
