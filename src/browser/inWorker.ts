/** The side of a page: a job that runs in a worker, so that the page stays responsive. */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { message } from "../platform/failures.ts";
import { pause } from "../platform/pause.ts";
import type { Job } from "../runs/job.ts";
import type { Port, PostedEvent, PostedOutcome, Reply } from "./messages.ts";
import { workerAddress } from "./workerAddress.ts";

export type { Port, PostedEvent, PostedOutcome } from "./messages.ts";

/** Options of {@link inWorker}. */
export interface InWorkerOptions {
  /** A worker that runs `worker.min.js` and stays open, or the address of that file. Default: the one of the package, for this job alone. */
  readonly worker?: Port | string;
  /** Called with every event. Lessons have no learner here: the newest is in the folder of the run. */
  readonly watch?: (event: PostedEvent) => void;
  /** Called with the adapter's line when the device is open. */
  readonly opened?: (adapter: string) => void;
  /** Called with what somebody should know and nothing fails by. */
  readonly note?: (line: string) => void;
  /** Aborted when the run should stop; what it has reached is kept in its folder. */
  readonly signal?: { readonly aborted: boolean };
}

/** A worker of a browser, as far as it is used. */
interface OwnWorker extends Port {
  terminate(): void;
}

/** How often a request to stop is looked for, in milliseconds. */
const turn = 50;

/** Posts a job and gives what it ends with. */
const asking = async (
  port: Port,
  about: string,
  asked: object,
  { watch, opened, note, signal }: InWorkerOptions,
): Promise<E.Either<Failure, PostedOutcome>> => {
  const id = crypto.randomUUID();
  let ended = false;
  const stopping = async (): Promise<void> => {
    while (!ended && signal?.aborted !== true) await pause(turn);
    if (!ended) port.postMessage({ id, stop: true });
  };
  let listen: Parameters<Port["addEventListener"]>[1] = () => undefined;
  let fail: typeof listen = listen;
  const end = new Promise<E.Either<Failure, PostedOutcome>>((resolve) => {
    listen = ({ data }) => {
      const reply = data as Reply;
      if (reply.id !== id) return;
      if ("event" in reply) watch?.(reply.event);
      else if ("opened" in reply) opened?.(reply.opened);
      else if ("note" in reply) note?.(reply.note);
      else resolve("outcome" in reply ? E.right(reply.outcome) : E.left(reply.failure));
    };
    fail = ({ message: said }) =>
      resolve(E.left({ _tag: "FileUnreadable", path: about, detail: typeof said === "string" && said !== "" ? said : "no worker starts from it" }));
    port.addEventListener("message", listen);
    port.addEventListener("error", fail);
    try {
      port.postMessage({ id, ...asked });
    } catch (error) {
      resolve(E.left({ _tag: "BadOption", option: "job", detail: `cannot be posted to a worker: ${message(error)}` }));
      return;
    }
    if (signal !== undefined) void stopping();
  });
  const outcome = await end;
  ended = true;
  port.removeEventListener("message", listen);
  port.removeEventListener("error", fail);
  return outcome;
};

/** Starts a worker from an address. */
const started = (address: string): E.Either<Failure, OwnWorker> => {
  const { Worker } = globalThis as unknown as { readonly Worker?: new (address: string, options: { readonly type: "module" }) => OwnWorker };
  if (Worker === undefined) return E.left({ _tag: "BadOption", option: "worker", detail: "is needed here, where there are none of a browser" });
  return E.tryCatch(
    () => new Worker(address, { type: "module" }),
    (error): Failure => ({ _tag: "FileUnreadable", path: address, detail: message(error) }),
  );
};

/**
 * Runs a job in a worker, or goes on with the run in a folder, as `runJob` and `resume` do; a request to stop keeps what was reached. What it gives has no
 * learner: `readLearner(outcome.model)` reads it. Fails as these do, with `FileUnreadable` where no worker starts, and with `BadOption` where there are none.
 *
 * ```ts
 * const outcome = await inWorker(job, { watch: (event) => console.log(event.type) })();
 * if (outcome._tag === "Right") console.log(textTable([outcome.right.result]));
 * const again = await inWorker("/runs/pets", { worker: "/scripts/worker.min.js" })(); // Goes on with the run in that folder.
 * ```
 */
export const inWorker = (job: Job | string, options: InWorkerOptions = {}): TaskEither<Failure, PostedOutcome> => {
  const asked = typeof job === "string" ? { resume: job } : { job };
  return async () => {
    const { worker = workerAddress() } = options;
    if (typeof worker !== "string") return asking(worker, "the worker", asked, options);
    const own = started(worker);
    if (E.isLeft(own)) return own;
    const ended = await asking(own.right, worker, asked, options);
    own.right.terminate();
    return ended;
  };
};
