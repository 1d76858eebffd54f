/** `cambium sweep`: many jobs from one file, here or on any number of machines. */
import { relative } from "node:path";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Queue } from "../platform/queue.ts";
import type { Storage } from "../platform/storage.ts";
import { jobsOf } from "../sweep/jobs.ts";
import { readSweep } from "../sweep/readSweep.ts";
import { inShare, runSweep, type Share, type SweepOptions } from "../sweep/runSweep.ts";
import { openStorage } from "../sweep/stored.ts";
import type { Sweep } from "../sweep/sweep.ts";
import { openQueue } from "../sweep/work.ts";
import { command, type Ended } from "./command.ts";
import { endOfSweep } from "./endOfSweep.ts";
import { optional, part, some, toggle, type Values } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** Where a queue is, for whoever puts jobs there and for whoever takes them. */
export const queueFlags = {
  redis: optional(some, "URL", "a Redis server that keeps the queue, as redis://HOST:6379; needs the packages bullmq and ioredis", "none"),
  name: optional(some, "NAME", "the name of the queue there; sweeps and workers of one name belong together", "cambium"),
};

/** Where the folders of jobs are that workers share no disk for. */
export const storageFlags = {
  storage: optional(some, "URL", "where the folders of the jobs are, as s3://BUCKET/PREFIX; needs the package @aws-sdk/client-s3", "on a disk that all share"),
  "s3-endpoint": optional(some, "URL", "a server that speaks like S3, as https://HOST:9000", "AWS"),
};

const table = {
  ...queueFlags,
  ...storageFlags,
  models: toggle("bring the learned models from --storage, too, and not the results alone"),
  detach: toggle("do not wait for the workers: put the jobs, gather what has ended, and say how far they are"),
  only: optional(part, "I/N", "run the I-th of N parts of the jobs here, from 1/N on; each part may run on another machine", "all jobs"),
  list: toggle("print the jobs, or those of --only, and run none"),
};

type Flags = Values<typeof table>;

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** Flags that have a meaning together. */
const checked = ({ redis, name, detach, only, storage, models }: Flags): E.Either<Failure, Share | undefined> => {
  if (redis === undefined && (detach || name !== undefined)) return bad(detach ? "--detach" : "--name", "has a meaning with --redis alone");
  if (redis === undefined && storage !== undefined) return bad("--storage", "has a meaning with --redis alone");
  if (storage === undefined && models) return bad("--models", "has a meaning with --storage alone");
  if (redis !== undefined && only !== undefined) return bad("--only", "is for machines without a queue; workers of --redis share the jobs themselves");
  return E.right(only);
};

/** Uses a queue, where one is asked for. */
const withQueue = <A>({ redis, name }: Flags, terminal: Terminal, use: (queue?: Queue) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  redis === undefined
    ? use()
    : pipe(
        openQueue(redis, { name, note: terminal.note }),
        TE.chain((queue) => () => use(queue)().finally(queue.close)),
      );

/** Uses a storage, where one is asked for. */
export const withStorage = <A>(
  { storage, "s3-endpoint": endpoint }: Values<typeof storageFlags>,
  use: (storage?: Storage) => TE.TaskEither<Failure, A>,
): TE.TaskEither<Failure, A> => {
  if (storage !== undefined) return pipe(openStorage(storage, { endpoint }), TE.chain(use));
  return endpoint === undefined ? use() : TE.fromEither(bad("--s3-endpoint", "has a meaning with --storage alone"));
};

/** The path of a folder, from where its user stands if it is in there. */
const shown = (path: string, { at }: Pick<Terminal, "at">): string => {
  const from = relative(at("."), path);
  return from === "" || from.startsWith("..") ? path : from;
};

/** The jobs of a share, with the numbers that they have among all. */
const listed = (sweep: Sweep, share?: Share): E.Either<Failure, Ended> =>
  pipe(
    jobsOf(sweep),
    E.map((jobs) => inShare(share)(jobs.map(({ name, job }, i) => ({ name, job, line: `${i + 1}/${jobs.length} ${name}` })))),
    E.map((mine) => ({
      text: () => (mine.length === 0 ? "no job: there are fewer jobs than parts" : mine.map(({ line }) => line).join("\n")),
      json: mine.map(({ name, job }) => ({ name, job })),
    })),
  );

/** Runs a sweep. */
export const sweep = command({
  name: "sweep",
  does: "run many jobs from one file: methods x options x orders x seeds, with one table at the end",
  synopsis: [
    "cambium sweep FILE [--only I/N]",
    "cambium sweep FILE --redis URL [--detach] [--storage s3://BUCKET/PREFIX [--models]]",
    "cambium sweep FILE --list",
  ],
  operands: { hint: "FILE", what: "the JSON file of a sweep" },
  flags: table,
  notes: [
    "The jobs run here, one after the other, or, with --redis, by cambium worker on any number of machines that share the folders, or have them in " +
      "--storage. A job that has ended is not run again, one that was begun goes on, and one that fails keeps no other from running: so the same command " +
      "again ends a sweep, wherever it was. docs/SWEEPS.md has every field of the file.",
  ],
  examples: [
    ["cambium sweep sweep.json", "runs all jobs here"],
    ["cambium sweep sweep.json --redis redis://queue:6379", "puts them on a queue, waits for its workers, and prints the table"],
    ["cambium sweep sweep.json --only 2/8", "the second of eight parts, as in an array of jobs of Slurm"],
  ],
  whenStopped: "Stopped on request; cambium sweep with the same file goes on.",
  run: ({ flags, operands: [file] }, terminal) =>
    pipe(
      TE.fromEither(checked(flags)),
      TE.bindTo("share"),
      TE.bind("sweep", () => readSweep(terminal.at(file))),
      TE.chain(({ share, sweep }) => {
        if (flags.list) return TE.fromEither(listed(sweep, share));
        const { detach, models } = flags;
        const options: SweepOptions = { ...terminal.jobOptions, share, detach, models };
        return pipe(
          withStorage(flags, (storage) => withQueue(flags, terminal, (queue) => runSweep(sweep, { ...options, queue, storage }))),
          TE.map(endOfSweep(shown(sweep.out, terminal), flags.detach)),
        );
      }),
    ),
});
