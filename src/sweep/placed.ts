/** How far the jobs of a sweep are, as their folders tell. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Storage } from "../platform/storage.ts";
import { readAnswers } from "../runs/readRun.ts";
import { extentOf, placementOf, type Placement } from "./advance.ts";
import type { SweepJob } from "./jobs.ts";
import { extentStored } from "./stored.ts";

/** A job, and how far it is in its folder. */
export interface Placed extends SweepJob, Placement {}

/** Where jobs have their folders. */
export interface PlacedOptions {
  readonly files?: Files;
  readonly storage?: Storage;
  readonly models?: boolean;
}

/** How far jobs are. Fails where a folder has the run of another job. */
export const placed = (
  jobs: readonly SweepJob[],
  { files = platform.files, storage, models = false }: PlacedOptions,
): TE.TaskEither<Failure, readonly Placed[]> =>
  pipe(
    jobs,
    TE.traverseSeqArray((one) =>
      pipe(
        placementOf(storage === undefined ? extentOf(one.job, files) : extentStored(one, storage, { files, models })),
        TE.map((placement): Placed => ({ ...one, ...placement })),
      ),
    ),
  );

/** What a job that has ended needs beside its result for the page: a damaged file of one job should not keep the page of the others from being written. */
export const withAnswers =
  (files: Files) =>
  (one: Placed): TE.TaskEither<Failure, Placed> =>
    one.extent === "ended"
      ? pipe(
          placementOf(
            pipe(
              readAnswers(one.job.out, files),
              TE.map(() => one.extent),
            ),
          ),
          TE.map((placement) => ({ ...one, ...placement })),
        )
      : TE.right(one);
