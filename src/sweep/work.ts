/** What takes the jobs of a queue and runs them. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { describe, type Failure } from "../failure.ts";
import { explain } from "../formats/files.ts";
import { inOrder } from "../formats/json.ts";
import { platform } from "../platform/default.ts";
import { isOfStorage } from "../platform/storage.ts";
import type { OpenQueue, Performed, Piece, Queue, TakeOptions } from "../platform/queue.ts";
import { Job } from "../runs/job.ts";
import type { JobOptions } from "../runs/runJob.ts";
import { advance } from "./advance.ts";
import { digest, type SweepJob } from "./jobs.ts";
import { advanceStored, type Carrying } from "./stored.ts";

/** A job as a piece of work. Equal jobs in one folder are one piece. */
export const pieceOf = ({ name, job }: SweepJob): Piece => ({ id: `${name}-${digest(JSON.stringify(inOrder(job)))}`, data: { name, job } });

const Data = t.type({ name: t.string, job: Job });

/** What a failure is for whoever took the job: its own, one of this machine, or none at all. */
const verdictOn = (failure: Failure): Performed => {
  if (failure._tag === "FileUnwritable" && failure.held) return { kind: "later" };
  // Without a device or a storage this process can run no other job; elsewhere this job may run.
  if (failure._tag === "NoAdapter" || isOfStorage(failure)) return { kind: "stopped", broken: failure };
  return { kind: "failed", detail: describe(failure), ...(failure._tag === "DeviceLost" ? { broken: failure } : {}) };
};

/** The options of the jobs of one process: what was said of one job and is true of another, such as the adapter and the stream, is not said again. */
const sayingOnce = ({ note, opened, ...options }: JobOptions): JobOptions => {
  const said = new Set<string>();
  const once = (say?: (line: string) => void) => (line: string) => {
    if (!said.has(line)) say?.(line);
    said.add(line);
  };
  return { ...options, note: once(note), opened: once(opened) };
};

/** The jobs that were taken, by their names. */
export interface Worked {
  readonly ended: readonly string[];
  readonly failed: readonly string[];
}

/** Options of {@link work}. */
export interface WorkOptions extends Omit<JobOptions, "kept">, Pick<TakeOptions, "until"> {
  /** Where the folders of the jobs are, and the folder of this machine that each is brought to while it runs. Default: they are on a disk that all share. */
  readonly carrying?: Carrying;
  /** What a job is called where it is said that it runs. Default: its name. */
  readonly titled?: (name: string) => string;
}

/**
 * Takes the jobs of a queue and runs them, one after the other, each from wherever it stands in its folder. A job that fails is noted in the queue, one whose
 * folder another process holds is tried again later, and one that was stopped by the signal goes back. Fails where this process can run no job at all.
 */
export const work = (queue: Queue, { until, carrying, titled = (name) => name, ...options }: WorkOptions = {}): TE.TaskEither<Failure, Worked> => {
  const [ended, failed]: [string[], string[]] = [[], []];
  const jobs = sayingOnce(options);
  const perform = (piece: Piece) => async (): Promise<Performed> => {
    const data = Data.decode(piece.data);
    if (E.isLeft(data)) {
      failed.push(piece.id);
      return { kind: "failed", detail: `it is no job: ${explain(data.left)}` };
    }
    const { name, job } = data.right;
    options.note?.(`${titled(name)}:`);
    const advanced = await (carrying === undefined ? advance(job, jobs) : advanceStored({ name, job }, carrying, jobs))();
    if (E.isRight(advanced)) {
      if (!advanced.right.interrupted) ended.push(name);
      return { kind: advanced.right.interrupted ? "stopped" : "done" };
    }
    const verdict = verdictOn(advanced.left);
    options.note?.(`${name}: ${describe(advanced.left)}${verdict.kind === "later" ? "; it is tried again" : ""}`);
    if (verdict.kind === "failed") failed.push(name);
    return verdict;
  };
  return pipe(
    queue.take(perform, { until, signal: options.signal }),
    TE.map(() => ({ ended, failed })),
  );
};

/**
 * Opens a queue that a server keeps, by its address. Fails with `BadOption` where the address is none, nobody answers there, or a package is not installed.
 *
 * ```ts
 * const queue = await openQueue("redis:nowhere")();
 * assert.ok(queue._tag === "Left" && queue.left._tag === "BadOption");
 * ```
 */
export const openQueue: OpenQueue = (url, options) =>
  platform.openQueue?.(url, options) ?? TE.left({ _tag: "BadOption", option: "queue", detail: "this platform reaches no server that keeps one" });
