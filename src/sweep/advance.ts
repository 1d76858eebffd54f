/** A job is brought to its end from wherever it stands in its folder. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, type Failure } from "../failure.ts";
import { isObject, printed } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Job } from "../runs/job.ts";
import { readRun } from "../runs/readRun.ts";
import { names } from "../runs/runFolder.ts";
import { resume, runJob, type JobOptions } from "../runs/runJob.ts";
import { readJob } from "../runs/runOf.ts";

/** The place where two values differ, and what stands there; undefined where they are equal. */
const difference = (a: unknown, b: unknown, place = ""): string | undefined => {
  if (isObject(a) && isObject(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = difference(a[key], b[key], place === "" ? key : `${place}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return JSON.stringify(a) === JSON.stringify(b) ? undefined : `${place} is ${printed(a)} there and ${printed(b)} here`;
};

/** How far a job is in its folder. */
export type Extent = "new" | "begun" | "ended";

/** Refuses the folder of another job. */
const same = (theirs: Job, mine: Job): E.Either<Failure, void> => {
  const alike = { id: undefined, out: undefined };
  const other = difference({ ...theirs, ...alike }, { ...mine, ...alike });
  return other === undefined ? E.right(undefined) : E.left({ _tag: "BadOption", option: mine.out, detail: `another job was run there: ${other}` });
};

/**
 * How far a job is in its folder, where another process may be at it: nothing is read that it removes while it goes on. Fails with `BadOption` where another
 * job was run there.
 */
export const extentOf = (job: Job, files: Files = platform.files): TE.TaskEither<Failure, Extent> => {
  const there = (...path: readonly string[]): TE.TaskEither<Failure, boolean> => TE.fromTask(files.exists(join(job.out, ...path)));
  return pipe(
    there(names.job),
    TE.chain((begun): TE.TaskEither<Failure, Extent> => {
      if (!begun) return TE.right("new");
      return pipe(
        readJob(job.out, files),
        TE.chainEitherK((theirs) => same(theirs, job)),
        // The learner gets this name when all else is written; that of a run that failed has it, too.
        TE.chain(() => TE.sequenceSeqArray([there(names.model, names.progress), there(names.result)])),
        TE.chain((all) => (all.every((one) => one) ? readRun(job.out, files) : TE.right({ interrupted: true }))),
        TE.map(({ interrupted }): Extent => (interrupted ? "begun" : "ended")),
        // Of a job that failed at its beginning nothing is left, from one moment to the next.
        TE.orElse((failure) => (failure._tag === "FileUnreadable" ? TE.right<Failure, Extent>("new") : TE.left(failure))),
      );
    }),
  );
};

/** A job in its folder: how far it is, and in words what of it is damaged. */
export interface Placement {
  readonly extent: Extent;
  readonly damage?: string;
}

/** Takes a folder with a damaged file for one that was begun: one job can then not go on, and the others can. */
export const placementOf = (extent: TE.TaskEither<Failure, Extent>): TE.TaskEither<Failure, Placement> =>
  pipe(
    extent,
    TE.map((extent): Placement => ({ extent })),
    TE.orElse((failure) =>
      failure._tag === "FileCorrupt" || failure._tag === "BadConfig"
        ? TE.right<Failure, Placement>({ extent: "begun", damage: `${describe(failure)}; remove the folder of the job, and it begins anew` })
        : TE.left(failure),
    ),
  );

/**
 * Brings a job to its end: runs it where it is new, goes on with what was begun, and does nothing where it has ended. Gives whether it was stopped on request
 * before its end. Fails as `runJob` does, with `FileUnwritable` (`held`) while another process is at it, and with `BadOption` where another job was run there.
 */
export const advance = (job: Job, options: JobOptions = {}): TE.TaskEither<Failure, { readonly interrupted: boolean }> =>
  pipe(
    extentOf(job, options.files),
    TE.chain((extent): TE.TaskEither<Failure, { readonly interrupted: boolean }> => {
      if (extent === "ended") return TE.right({ interrupted: false });
      return extent === "new" ? runJob(job, options) : resume(job.out, options);
    }),
    TE.orElse((failure) => (failure._tag === "Interrupted" ? TE.right({ interrupted: true }) : TE.left(failure))),
  );
