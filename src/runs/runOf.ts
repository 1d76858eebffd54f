/** Which run a folder belongs to, its job, and its newest learner. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { readJsonAs } from "../formats/files.ts";
import { dirname, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { Job } from "./job.ts";
import { names, newest, type Newest } from "./runFolder.ts";

/** The job of a run. Fails with `FileUnreadable` where a folder is not that of a run, with `BadConfig` where its job is none. */
export const readJob = (run: string, files: Files): TE.TaskEither<Failure, Job> => {
  const path = join(run, names.job);
  return pipe(
    TE.fromTask<boolean, Failure>(files.exists(path)),
    TE.filterOrElse(
      (there) => there,
      (): Failure => ({ _tag: "FileUnreadable", path: run, detail: `it is not the folder of a run: it has no ${names.job}` }),
    ),
    TE.chain(() => readJsonAs(Job, path, files)),
    // The folder may have been moved since.
    TE.map((job) => ({ ...job, out: run })),
  );
};

/** The run that a folder belongs to: its own, or that of a learner in it; undefined where it is of none. */
export const runOf = async (folder: string, files: Files): Promise<string | undefined> => {
  if (await files.exists(join(folder, names.job))()) return folder;
  const above = dirname(files.absolute(folder));
  return (await files.exists(join(folder, names.progress))()) && (await files.exists(join(above, names.job))()) ? above : undefined;
};

/** A run in a folder: its job, and its newest learner where it has finished a task. */
export interface RunFolder {
  readonly job: Job;
  readonly last: Newest | undefined;
}

/** The run in a folder; undefined where the folder is not that of a run. */
export const newestOf = (folder: string, files: Files): TE.TaskEither<Failure, RunFolder | undefined> =>
  pipe(
    TE.fromTask<boolean, Failure>(files.exists(join(folder, names.job))),
    TE.chain(
      (run): TE.TaskEither<Failure, RunFolder | undefined> =>
        run
          ? pipe(
              readJob(folder, files),
              TE.bindTo("job"),
              TE.bind("last", ({ job }) => newest(job, files)),
            )
          : TE.right(undefined),
    ),
  );
