/** A job is brought to its end from wherever it stands in its folder. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Job } from "../runs/job.ts";
import { readRun } from "../runs/readRun.ts";
import { names } from "../runs/runFolder.ts";
import { resume, runJob, type JobOptions } from "../runs/runJob.ts";
import { newestOf, readJob } from "../runs/runOf.ts";

const isObject = (u: unknown): u is Readonly<Record<string, unknown>> => typeof u === "object" && u !== null && !Array.isArray(u);

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

/** How far a job is in its folder. Fails with `BadOption` where another job was run there. */
export const extentOf = (job: Job, files: Files = platform.files): TE.TaskEither<Failure, Extent> =>
  pipe(
    TE.fromTask<boolean, Failure>(files.exists(join(job.out, names.job))),
    TE.chain((there): TE.TaskEither<Failure, Extent> => {
      if (!there) return TE.right("new");
      return pipe(
        readJob(job.out, files),
        TE.chain(({ id: _, ...theirs }) => {
          const { id: __, ...mine } = job;
          const other = difference({ ...theirs, out: "" }, { ...mine, out: "" });
          return other === undefined
            ? TE.right(undefined)
            : TE.left<Failure>({ _tag: "BadOption", option: job.out, detail: `another job was run there: ${other}` });
        }),
        TE.chain(() => newestOf(job.out, files)),
        TE.chain((run): TE.TaskEither<Failure, Extent> => {
          // The learner gets this name when all else is written.
          if (run?.last?.folder !== join(job.out, names.model)) return TE.right("begun");
          return pipe(
            readRun(job.out, files),
            TE.map(({ interrupted }) => (interrupted ? "begun" : "ended")),
          );
        }),
      );
    }),
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
