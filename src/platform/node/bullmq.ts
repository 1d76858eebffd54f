/**
 * A queue that Redis keeps, by BullMQ. Both packages are optional: they are loaded when a queue is opened.
 *
 * Whoever takes a piece renews its lock while it is at it. Where that ends, because the process was killed or its machine went away, the piece goes back after
 * half a minute. Redis may go away and come back: whoever waits for it waits on.
 */
import { randomUUID } from "node:crypto";
import type { Job, Queue as BullQueue, Worker } from "bullmq";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { firstLine } from "../failures.ts";
import { pause, unlessStopped, within } from "../pause.ts";
import type { Redis } from "ioredis";
import type { OpenQueue, Performed, Piece, Queue, QueueOptions, Standing, TakeOptions } from "../queue.ts";

/** Milliseconds: how long a lock lasts that nobody renews, how often such pieces are looked for, and until a piece that somebody else is at is tried again. */
const [lockDuration, stalledInterval, patience] = [30_000, 5_000, 5_000];

/** Milliseconds between two looks at an empty queue, and until a server that has not answered once is taken for away. */
const [idle, connecting] = [500, 10_000];

/** Days after which Redis forgets a piece that is done; its results lie in its folder. */
const forgotten = { age: 30 * 24 * 3600 };

const bad = (detail: string): Failure => ({ _tag: "BadOption", option: "--redis", detail });

interface Packages {
  readonly bullmq: Pick<typeof import("bullmq"), "Queue" | "Worker">;
  readonly ioredis: Pick<typeof import("ioredis"), "Redis">;
}

const packages = TE.tryCatch(
  async (): Promise<Packages> => ({ bullmq: await import("bullmq"), ioredis: await import("ioredis") }),
  (): Failure => bad("needs the packages bullmq and ioredis: npm install bullmq ioredis"),
);

/** A connection, and the address of its server. */
interface Connection {
  readonly name: string;
  readonly redis: Redis;
}

const checkAddress = (text: string): E.Either<Failure, void> => {
  if (!/^rediss?:\/\/[^/]/.test(text) || !URL.canParse(text)) return E.left(bad("should be an address such as redis://HOST:6379"));
  const { pathname } = new URL(text);
  return /^\/?\d*$/.test(pathname) ? E.right(undefined) : E.left(bad(`should end with the number of a database, as redis://HOST:6379/2, not ${pathname}`));
};

/** Why a server is of no use, by what it answers; its own words have no password in them. */
const refusal = (name: string, answer: string, db: number): string => {
  if (/^(WRONGPASS|ERR invalid password)/.test(answer)) return `${name} refuses the user or the password of this address`;
  if (answer.startsWith("NOAUTH")) return `${name} asks for a password, as in redis://:PASSWORD@HOST:6379`;
  return answer.startsWith("ERR DB index") ? `${name} has no database ${db}` : `nobody answers at ${name}: ${answer}`;
};

/** Where a piece stands. */
const standingOf = async (queue: BullQueue, id: string): Promise<Standing> => {
  const job = await queue.getJob(id);
  const state = (await job?.getState()) ?? "unknown";
  if (state === "completed") return { state: "done" };
  if (state === "failed") return { state: "failed", detail: job?.failedReason ?? "" };
  return { state: state === "active" || state === "unknown" ? state : "waiting" };
};

/** Puts a piece, unless it waits, somebody is at it, or it has failed and is not to be tried again. */
const put = async (queue: BullQueue, { id, data }: Piece, again: boolean): Promise<void> => {
  const { state } = await standingOf(queue, id);
  if (state === "waiting" || state === "active" || (state === "failed" && !again)) return;
  if (state !== "unknown") await queue.remove(id);
  await queue.add("job", data, { jobId: id, attempts: 1, removeOnComplete: forgotten, removeOnFail: forgotten });
};

/** Hands a piece back as its verdict says. Of a piece whose lock was lost meanwhile somebody else will find what was done. */
const handBack = async (job: Job, token: string, verdict: Performed): Promise<void> => {
  if (verdict.kind === "done") await job.moveToCompleted("", token, false);
  if (verdict.kind === "failed") await job.moveToFailed(new Error(verdict.detail), token, false);
  if (verdict.kind === "stopped") await job.moveToWait(token);
  if (verdict.kind === "later") await job.moveToDelayed(Date.now() + patience, token);
};

/** Does a piece, whose lock is renewed until it is handed back. */
const performed = async (job: Job, token: string, perform: Parameters<Queue["take"]>[0], signal: TakeOptions["signal"]): Promise<Performed> => {
  let renewing: Promise<unknown> | undefined;
  const renewal = setInterval(() => {
    // While the server is away one renewal waits for it.
    renewing ??= job
      .extendLock(token, lockDuration)
      .catch(() => undefined)
      .finally(() => (renewing = undefined));
  }, lockDuration / 3);
  try {
    const verdict = await perform({ id: job.id as string, data: job.data })();
    await unlessStopped(
      handBack(job, token, verdict).catch(() => undefined),
      signal,
    );
    return verdict;
  } finally {
    clearInterval(renewal);
  }
};

/** Whether nothing waits, and nobody is at anything. */
const isEmpty = async (queue: BullQueue): Promise<boolean> => {
  const counts = await queue.getJobCounts("waiting", "active", "delayed", "prioritized");
  return Object.values(counts).every((n) => n === 0);
};

const takeAll = async (queue: BullQueue, worker: Worker, perform: Parameters<Queue["take"]>[0], { until, signal }: TakeOptions) => {
  const token = randomUUID();
  while (signal?.aborted !== true) {
    // What went wrong once, as when the server was just starting, may go well the next time.
    const next = worker.getNextJob(token, { block: false }).catch(() => undefined);
    const job = await unlessStopped(next, signal);
    if (job === undefined) {
      if (until === "empty" && (await isEmpty(queue))) break;
      await pause(idle, signal);
      continue;
    }
    const { kind, broken } = await performed(job, token, perform, signal);
    if (broken !== undefined) return E.left(broken);
    if (kind === "stopped" || (until === "one" && kind !== "later")) break;
  }
  return E.right(undefined);
};

/** A connection that waits for a server that goes away; one that has not answered at first is a failure. */
const connected = (text: string, { ioredis }: Packages, note: QueueOptions["note"]): TE.TaskEither<Failure, Connection> => {
  const { protocol, host } = new URL(text);
  // Without the password.
  const name = `${protocol}//${host}`;
  return async () => {
    let away: string | undefined;
    let known = false;
    const redis = new ioredis.Redis(text, { maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(100 * times, 2_000) });
    redis.on("error", (error) => {
      if (known && away === undefined) note?.(`${name} is away (${firstLine(error)}); waiting for it`);
      away = firstLine(error);
    });
    redis.on("ready", () => {
      if (known && away !== undefined) note?.(`${name} is back`);
      away = undefined;
    });
    const db = redis.options.db ?? 0;
    const answer = await within(
      connecting,
      // Asked for once more: that the database of the address is refused is no error of the connection, which then stays with 0.
      (db === 0 ? redis.ping() : redis.select(db)).then(
        () => "",
        (error) => firstLine(error),
      ),
    );
    known = true;
    if (answer === "") return E.right({ name, redis });
    redis.disconnect();
    // Why it was refused says more than that it was.
    const why = away !== undefined && !(answer ?? "").startsWith("ERR DB") ? away : (answer ?? "no answer");
    return E.left(bad(refusal(name, why, db)));
  };
};

/** A queue over a connection. */
const over = (name: string, { redis: connection, name: server }: Connection, { bullmq }: Packages): Queue => {
  const silent = <A extends { on: (event: "error", listener: () => void) => unknown }>(of: A): A => {
    of.on("error", () => undefined);
    return of;
  };
  const queue = silent(new bullmq.Queue(name, { connection }));
  const tried = <A>(use: () => Promise<A>): TE.TaskEither<Failure, A> => TE.tryCatch(use, (error): Failure => bad(`${server}: ${firstLine(error)}`));
  return {
    put: (pieces, { again = false } = {}) =>
      tried(async () => {
        for (const piece of pieces) await put(queue, piece, again);
      }),
    standing: (ids) => tried(() => Promise.all(ids.map((id) => standingOf(queue, id)))),
    take: (perform, options = {}) =>
      pipe(
        tried(async () => {
          const worker = silent(new bullmq.Worker(name, null, { connection, autorun: false, lockDuration, stalledInterval, maxStalledCount: 1_000_000 }));
          await worker.startStalledCheckTimer();
          return takeAll(queue, worker, perform, options).finally(() => within(2_000, worker.close()));
        }),
        TE.chainEitherK((taken) => taken),
      ),
    close: async () => {
      await within(2_000, queue.close());
      connection.disconnect();
    },
  };
};

/** Opens a queue in Redis. */
export const openQueue: OpenQueue = (text, { name = "cambium", note } = {}) =>
  pipe(
    TE.fromEither(checkAddress(text)),
    TE.chain(() => packages),
    TE.chain((loaded) =>
      pipe(
        connected(text, loaded, note),
        TE.map((connection) => over(name, connection, loaded)),
      ),
    ),
  );
