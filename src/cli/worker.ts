/** `cambium worker`: takes the jobs of sweeps from a queue. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { openQueue, work, type Worked } from "../sweep/work.ts";
import { command, type Ended } from "./command.ts";
import { flag, some, toggle } from "./flags.ts";
import { queueFlags } from "./sweep.ts";

const said = ({ ended, failed }: Worked): string => {
  const jobs = `${ended.length === 1 ? "1 job has" : `${ended.length} jobs have`} ended here`;
  return failed.length === 0 ? `${jobs}.` : `${jobs}, ${failed.length} failed: ${failed.join(", ")}.`;
};

/** Takes jobs from a queue. */
export const worker = command({
  name: "worker",
  does: "take the jobs of sweeps from a queue and run them, one after the other",
  synopsis: ["cambium worker --redis URL [--name NAME] [--once | --until-empty]"],
  flags: {
    redis: flag(some, "URL", "the Redis server that keeps the queue, as redis://HOST:6379; needs the packages bullmq and ioredis"),
    name: queueFlags.name,
    once: toggle("end after one job"),
    "until-empty": toggle("end when no job waits and nobody is at one"),
  },
  notes: [
    "Workers run on any number of machines that reach the folders of a sweep under the same path. The job of a worker that dies is taken up by another, " +
      "from its last finished task. Ctrl-C ends the step under way, keeps what was finished, and gives the job back.",
  ],
  examples: [
    ["cambium worker --redis redis://queue:6379", "takes jobs until it is stopped"],
    ["cambium worker --redis redis://queue:6379 --until-empty", "takes jobs as long as there are any"],
  ],
  run: ({ flags: { redis, name, once, "until-empty": untilEmpty } }, terminal): TE.TaskEither<Failure, Ended> => {
    if (once && untilEmpty) return TE.left({ _tag: "BadOption", option: "--once", detail: "and --until-empty exclude one another" });
    const until = once ? "one" : untilEmpty ? "empty" : undefined;
    return pipe(
      openQueue(redis, { name, note: terminal.note }),
      TE.chain((queue) => () => work(queue, { ...terminal.jobOptions, until })().finally(queue.close)),
      TE.map((worked) => ({ text: () => said(worked), json: worked, interrupted: terminal.jobOptions.signal?.aborted === true })),
    );
  },
});
