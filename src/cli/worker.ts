/** `cambium worker`: takes the jobs of sweeps from a queue. */
import { tmpdir } from "node:os";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { openQueue, work, type Worked } from "../sweep/work.ts";
import { command, type Ended } from "./command.ts";
import { flag, some, toggle } from "./flags.ts";
import { queueFlags, storageFlags, withStorage } from "./sweep.ts";

const said = ({ ended, failed }: Worked): string => {
  const jobs = `${ended.length === 1 ? "1 job has" : `${ended.length} jobs have`} ended here`;
  return failed.length === 0 ? `${jobs}.` : `${jobs}, ${failed.length} failed: ${failed.join(", ")}.`;
};

/** Takes jobs from a queue. */
export const worker = command({
  name: "worker",
  does: "take the jobs of sweeps from a queue and run them, one after the other",
  synopsis: ["cambium worker --redis URL [--name NAME] [--once | --until-empty] [--storage s3://BUCKET/PREFIX]"],
  flags: {
    redis: flag(some, "URL", "the Redis server that keeps the queue, as redis://HOST:6379; needs the packages bullmq and ioredis"),
    name: queueFlags.name,
    ...storageFlags,
    once: toggle("end after one job"),
    "until-empty": toggle("end when no job waits and nobody is at one"),
  },
  notes: [
    "Workers run on any number of machines that reach the folders of a sweep under the same path, or have those of its jobs in --storage. The job of a " +
      "worker that dies is taken up by another, from its last finished task. Ctrl-C ends the step under way, keeps what was finished, and gives the job back.",
    "The exit code is 1 where one of its jobs has failed; the others ran all the same.",
  ],
  examples: [
    ["cambium worker --redis redis://queue:6379", "takes jobs until it is stopped"],
    ["cambium worker --redis redis://queue:6379 --until-empty", "takes jobs as long as there are any"],
    ["cambium worker --redis redis://queue:6379 --storage s3://lab/sweep", "takes the folders of jobs from S3, and brings them back there"],
  ],
  run: ({ flags }, terminal): TE.TaskEither<Failure, Ended> => {
    const { redis, name, once, "until-empty": untilEmpty } = flags;
    if (once && untilEmpty) return TE.left({ _tag: "BadOption", option: "--once", detail: "and --until-empty exclude one another" });
    const until = once ? "one" : untilEmpty ? "empty" : undefined;
    return pipe(
      withStorage(flags, (storage) => {
        const carrying = storage === undefined ? undefined : { storage, scratch: tmpdir() };
        return pipe(
          openQueue(redis, { name, note: terminal.note }),
          TE.chain((queue) => () => work(queue, { ...terminal.jobOptions, until, carrying })().finally(queue.close)),
        );
      }),
      TE.map((worked) => ({
        text: () => said(worked),
        json: worked,
        interrupted: terminal.jobOptions.signal?.aborted === true,
        failed: worked.failed.length > 0,
      })),
    );
  },
});
