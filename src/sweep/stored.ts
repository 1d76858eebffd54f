/** Jobs whose folders are in a storage, for workers that share no disk. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { OpenStorage, Storage } from "../platform/storage.ts";
import { names } from "../runs/runFolder.ts";
import type { JobOptions } from "../runs/runJob.ts";
import { advance, extentOf, type Extent } from "./advance.ts";
import type { SweepJob } from "./jobs.ts";
import { bring, moveHead, putFiles, readHead, removeOthers, type Seen, type StoredFile } from "./storedFolder.ts";

const lastFile = `${names.model}/${names.progress}`;

/** What tells of a run that it has ended, and what it has found. */
const isResult = ({ path }: StoredFile): boolean => !path.includes("/") || path === lastFile;

/** Whose folders are in a storage, and the folder of this machine that they are brought to while a job runs. */
export interface Carrying {
  readonly storage: Storage;
  readonly scratch: string;
}

/**
 * Brings a job to its end as `advance` does, from wherever it stands in a storage: its folder is brought here, and what is new is put there after every task.
 * Fails with `FileUnwritable` (`held`) where another worker takes the job meanwhile.
 */
export const advanceStored = (
  { name, job }: SweepJob,
  { storage, scratch }: Carrying,
  options: JobOptions,
): TE.TaskEither<Failure, { readonly interrupted: boolean }> => {
  const { files = platform.files } = options;
  const taker = crypto.randomUUID();
  const out = join(files.absolute(scratch), `cambium-${name}-${taker}`);
  const running = (taken: Seen): TE.TaskEither<Failure, { readonly interrupted: boolean }> => {
    let seen = taken;
    const put = (ended: boolean): TE.TaskEither<Failure, void> =>
      pipe(
        TE.fromIO<Seen, Failure>(() => seen),
        TE.bindTo("last"),
        TE.bind("all", ({ last }) => putFiles(storage, name, last.head, out, files)),
        TE.bind("next", ({ last, all }) => moveHead(storage, name, last, { version: 1, taker, ended, files: [...all] })),
        TE.chain(({ last, next }) => {
          seen = next;
          return removeOthers(storage, name, last.head, next.head);
        }),
      );
    return pipe(
      bring(storage, name, taken.head.files, out, files),
      TE.chain(() => advance({ ...job, out }, { ...options, kept: put(false) })),
      // Of a job that was stopped before its first task there is nothing.
      TE.chainFirst(({ interrupted }) => (interrupted ? TE.right(undefined) : put(true))),
    );
  };
  const ended = ({ head }: Seen) =>
    pipe(
      bring(storage, name, head.files.filter(isResult), out, files),
      // It may be another job.
      TE.chain(() => extentOf({ ...job, out }, files)),
      TE.map(() => ({ interrupted: false })),
    );
  return pipe(
    readHead(storage, name),
    TE.chain((seen) => (seen.head.ended ? ended(seen) : pipe(moveHead(storage, name, seen, { ...seen.head, taker }), TE.chain(running)))),
    (advanced) => () => advanced().finally(files.remove(out)),
  );
};

/** How far a job is in a storage. What its tables are made of is brought into its folder where it has ended; its learner, too, where `models` are asked for. */
export const extentStored = (
  { name, job }: SweepJob,
  storage: Storage,
  { files, models }: { readonly files: Files; readonly models: boolean },
): TE.TaskEither<Failure, Extent> =>
  pipe(
    extentOf(job, files),
    TE.chain((extent) => {
      if (extent === "ended" && !models) return TE.right(extent);
      return pipe(
        readHead(storage, name),
        TE.chain(({ head }) => {
          const wanted = (file: StoredFile): boolean => (head.ended ? models || isResult(file) : extent === "new" && file.path === names.job);
          // What tells that the job has ended comes last.
          const [last, others] = [head.files.filter(({ path }) => path === lastFile), head.files.filter(({ path }) => path !== lastFile)];
          return bring(storage, name, [...others, ...last].filter(wanted), job.out, files);
        }),
        TE.chain(() => extentOf(job, files)),
      );
    }),
  );

/**
 * Opens a storage by its address, `s3://BUCKET/PREFIX`. Fails with `BadOption` where the address is none, nobody answers there, it refuses, or a package is
 * not installed.
 *
 * ```ts
 * const storage = await openStorage("nowhere")();
 * assert.ok(storage._tag === "Left" && storage.left._tag === "BadOption");
 * ```
 */
export const openStorage: OpenStorage = (url, options) =>
  platform.openStorage?.(url, options) ?? TE.left({ _tag: "BadOption", option: "storage", detail: "this platform reaches none" });
