/** Sweeps that run in a folder: here, or by whoever takes their jobs from a queue. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { writeJson } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Queue, Standing } from "../platform/queue.ts";
import type { Storage } from "../platform/storage.ts";
import type { Compared } from "../runs/compare.ts";
import type { JobOptions } from "../runs/runJob.ts";
import { sweepFile } from "../runs/runsIn.ts";
import { readFailures, writeFailures, type Failures } from "./failures.ts";
import { alone, gather } from "./gather.ts";
import { pause } from "../platform/pause.ts";
import { here } from "./here.ts";
import { jobsOf, type SweepJob } from "./jobs.ts";
import { checkOut } from "./out.ts";
import { placed, withAnswers } from "./placed.ts";
import { locatedSweep, readSweep } from "./readSweep.ts";
import { misplaced } from "../runs/misplaced.ts";
import type { Sweep } from "./sweep.ts";
import { pieceOf, work } from "./work.ts";

/** A part of the jobs of a sweep: of `of` parts the one with the number `nth`, from 1 on. */
export interface Share {
  readonly nth: number;
  readonly of: number;
}

/** Options of {@link runSweep}. */
export interface SweepOptions extends Omit<JobOptions, "kept"> {
  /** Whose takers run the jobs. Default: they are run here, one after the other. */
  readonly queue?: Queue;
  /** Does not wait for the queue's takers: gathers what there is now. */
  readonly detach?: boolean;
  /** Where the queue's takers have the folders of the jobs; the results of those that have ended are brought here. Default: on a disk that all share. */
  readonly storage?: Storage;
  /** Brings the learners from the storage, too. */
  readonly models?: boolean;
  /** The part of the jobs that is run. Default: all. */
  readonly share?: Share;
}

/** A job of a sweep, and what became of it: it has ended, it has failed in so many words, or it has yet to end. */
export interface JobEnd {
  readonly name: string;
  readonly state: "ended" | "failed" | "running" | "open";
  readonly detail?: string;
}

/** What a sweep has reached. */
export interface SweepOutcome {
  readonly folder: string;
  readonly jobs: readonly JobEnd[];
  /** The runs that have ended, side by side; undefined where none has. */
  readonly compared: Compared | undefined;
  /** How many jobs have a folder by now. */
  readonly folders: number;
  /** Whether it was stopped on request. */
  readonly interrupted: boolean;
}

/** Those of a share: every `of`-th. */
export const inShare =
  (share?: Share) =>
  <A>(all: readonly A[]): readonly A[] =>
    share === undefined ? all : all.filter((_, i) => i % share.of === share.nth - 1);

/** What a job is called while it runs: with its number among all jobs. */
const numbered =
  (jobs: readonly SweepJob[]) =>
  (name: string): string =>
    `${name}, ${jobs.findIndex((job) => job.name === name) + 1} of ${jobs.length}`;

const count = (standings: readonly Standing[], state: Standing["state"]): number => standings.filter((standing) => standing.state === state).length;

/** Waits until nobody is at any of the jobs, and none waits; what a queue has lost is put again. */
const settled = (queue: Queue, jobs: readonly SweepJob[], ended: number, options: SweepOptions): TE.TaskEither<Failure, void> => {
  const { note, signal } = options;
  const ids = jobs.map((job) => pieceOf(job).id);
  let told = "";
  const round = (): TE.TaskEither<Failure, boolean> =>
    pipe(
      queue.standing(ids),
      TE.bindTo("standings"),
      TE.bind("lost", ({ standings }) =>
        placed(
          jobs.filter((_, i) => standings[i].state === "unknown"),
          options,
        ),
      ),
      TE.bind("put", ({ lost }) => queue.put(lost.filter(({ extent }) => extent !== "ended").map(pieceOf))),
      TE.map(({ standings, lost }) => {
        const over = count(standings, "done") + lost.filter(({ extent }) => extent === "ended").length;
        const [active, failed] = [count(standings, "active"), count(standings, "failed")];
        const line = `${ended + over} of ${ended + jobs.length} jobs have ended, ${active} running${failed === 0 ? "" : `, ${failed} failed`}`;
        if (line !== told) note?.(line);
        told = line;
        return over + failed === jobs.length;
      }),
    );
  return async () => {
    while (signal?.aborted !== true) {
      const over = await round()();
      if (E.isLeft(over)) return over;
      if (over.right) break;
      await pause(1_000, signal);
    }
    return E.right(undefined);
  };
};

/** What became of each job, as its folder tells, and else the queue. */
const endsOf = (queue: Queue, jobs: readonly SweepJob[], options: SweepOptions): TE.TaskEither<Failure, readonly JobEnd[]> =>
  pipe(
    placed(jobs, options),
    TE.chain(TE.traverseSeqArray(withAnswers(options.files ?? platform.files))),
    TE.bindTo("all"),
    TE.bind("standings", ({ all }) => queue.standing(all.map((one) => pieceOf(one).id))),
    TE.map(({ all, standings }) =>
      all.map(({ name, extent, damage }, i): JobEnd => {
        const standing = standings[i];
        if (damage !== undefined) return { name, state: "failed", detail: damage };
        if (extent === "ended") return { name, state: "ended" };
        if (standing.state === "failed") return { name, state: "failed", detail: standing.detail };
        return { name, state: standing.state === "active" ? "running" : "open" };
      }),
    ),
  );

/** Why jobs have failed; of those that were not run now, as it was known before. */
const failuresOf = (jobs: readonly JobEnd[], before: Failures): Failures =>
  Object.fromEntries(
    jobs.flatMap(({ name, state, detail }) => {
      const why = state === "failed" ? detail : state === "open" ? before[name] : undefined;
      return why === undefined ? [] : [[name, why]];
    }),
  );

/** What became of the jobs, with the tables of those that have ended. */
const reached = (
  queue: Queue,
  folder: string,
  all: readonly SweepJob[],
  options: SweepOptions,
): TE.TaskEither<Failure, Pick<SweepOutcome, "jobs" | "compared" | "folders">> => {
  const { files = platform.files } = options;
  return pipe(
    endsOf(queue, all, options),
    TE.bindTo("jobs"),
    TE.bind("compared", ({ jobs }) => {
      const ended = jobs.filter(({ state }) => state === "ended").map(({ name }) => name);
      return gather(folder, ended, files);
    }),
    TE.chainFirst(({ jobs }) =>
      pipe(
        TE.fromTask<Failures, Failure>(readFailures(folder, files)),
        TE.chain((before) => writeFailures(folder, failuresOf(jobs, before), files)),
      ),
    ),
    TE.bind("folders", () => TE.fromTask(async () => (await Promise.all(all.map(({ job }) => files.exists(job.out)()))).filter((there) => there).length)),
  );
};

const checkOptions = ({ share, storage, queue }: SweepOptions): E.Either<Failure, void> => {
  if (storage !== undefined && queue === undefined) return E.left(misplaced("storage", "is for those who take jobs from a queue"));
  if (share === undefined) return E.right(undefined);
  const { nth, of } = share;
  const good = Number.isInteger(nth) && Number.isInteger(of) && nth >= 1 && nth <= of;
  return good ? E.right(undefined) : E.left(misplaced("share", `should be a part from 1 to the number of parts, not ${nth} of ${of}`));
};

/**
 * Runs a sweep: every job in a folder of its own in that of the sweep, which gets `sweep.json`, and of all that have ended `table.txt`, `table.csv` and
 * `report.html`. A job that has ended already is not run again, and one that was begun goes on; so running a sweep again ends it. A job that fails keeps no
 * other from running, and is listed. Fails as {@link jobsOf} does before anything runs; where a folder of a job holds another job; and where the queue does.
 *
 * ```ts
 * const base = { model: `${folder}/clip`, source: { folders: [`${folder}/pets`] } };
 * const outcome = await runSweep({ version: 1, base, methods: [{ name: "codyra" }], seeds: [0, 1], out: `${folder}/sweep` })();
 * assert.ok(outcome._tag === "Left" && outcome.left._tag === "FileUnreadable"); // There is no model.
 * ```
 */
export const runSweep = (sweep: Sweep, options: SweepOptions = {}): TE.TaskEither<Failure, SweepOutcome> => {
  const { files = platform.files, queue = here(), signal, detach = false } = options;
  const absolute: Sweep = { ...sweep, out: files.absolute(sweep.out) };
  return pipe(
    TE.fromEither(checkOptions(options)),
    TE.chain(() => locatedSweep(absolute, options)),
    TE.bindTo("located"),
    TE.bind("jobs", ({ located }) => TE.fromEither(jobsOf(located))),
    TE.chainFirst(({ jobs }) => placed(jobs, { files })),
    TE.chainFirst(({ located }) => checkOut(located.out, files)),
    TE.chainFirst(({ located }) => writeJson(join(located.out, sweepFile), located, files)),
    // What is in a storage is brought into a folder that is known for that of this sweep.
    TE.bind("mine", ({ jobs }) => pipe(placed(jobs, options), TE.map(inShare(options.share)))),
    TE.bind("open", ({ mine }) => TE.right(mine.filter(({ extent }) => extent !== "ended"))),
    TE.chainFirst(({ open }) => queue.put(open.map(pieceOf), { again: !detach })),
    TE.chainFirst(({ jobs, mine, open }) => {
      if (options.queue === undefined)
        return pipe(
          work(queue, { ...options, until: "empty", titled: numbered(jobs) }),
          TE.map(() => undefined),
        );
      return detach ? TE.right(undefined) : settled(queue, open, mine.length - open.length, options);
    }),
    TE.bind("reached", ({ located: { out }, jobs }) => alone(out, reached(queue, out, jobs, options), files)),
    TE.map(({ located, reached }): SweepOutcome => ({ folder: located.out, ...reached, interrupted: signal?.aborted === true })),
  );
};

/**
 * Goes on with the sweep in a folder, as {@link runSweep} does. Fails with `FileUnreadable` where the folder is not that of a sweep.
 *
 * ```ts
 * const outcome = await resumeSweep(`${folder}/nothing`)();
 * assert.ok(outcome._tag === "Left" && outcome.left._tag === "FileUnreadable");
 * ```
 */
export const resumeSweep = (folder: string, options: SweepOptions = {}): TE.TaskEither<Failure, SweepOutcome> =>
  pipe(
    readSweep(join(folder, sweepFile), options),
    // The folder may have been moved since.
    TE.chain((sweep) => runSweep({ ...sweep, out: folder }, options)),
  );
