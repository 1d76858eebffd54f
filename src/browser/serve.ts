/** The side of a worker: it runs the jobs that a page posts. */
import * as E from "fp-ts/lib/Either.js";
import { resume, runJob, type JobOptions } from "../runs/runJob.ts";
import { postedEvent, postedOutcome, type Asked, type Port, type Reply, type Request } from "./messages.ts";

/**
 * Runs every job that is posted to a port, each under its `id`, and posts what happens: its events, the adapter's line (`opened`), notes, and at the end its
 * outcome or its failure. A worker calls it with itself.
 *
 * ```ts
 * serve(self);
 * ```
 */
export const serve = (port: Port): void => {
  const signals = new Map<string, { aborted: boolean }>();
  const run = async (asked: Asked): Promise<void> => {
    const { id } = asked;
    const signal = { aborted: false };
    signals.set(id, signal);
    const post = (reply: Reply): void => port.postMessage(reply);
    const options: JobOptions = {
      signal,
      watch: (event) => post({ id, event: postedEvent(event) }),
      opened: (opened) => post({ id, opened }),
      note: (note) => post({ id, note }),
    };
    const ended = await ("job" in asked ? runJob(asked.job, options) : resume(String(asked.resume), options))();
    signals.delete(id);
    post(E.isRight(ended) ? { id, outcome: postedOutcome(ended.right) } : { id, failure: ended.left });
  };
  port.addEventListener("message", ({ data }) => {
    const request = data as Request | null;
    // A port may carry what is none of ours.
    if (typeof request !== "object" || typeof request?.id !== "string") return;
    const running = signals.get(request.id);
    if ("job" in request || "resume" in request) void run(request);
    else if (running !== undefined) running.aborted = true;
  });
};
