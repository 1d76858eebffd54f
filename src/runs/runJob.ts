/** Jobs that run in a folder, and go on in it whatever ended them. */
import * as E from "fp-ts/lib/Either.js";
import * as O from "fp-ts/lib/Option.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { imageCache } from "../data/imageCache.ts";
import type { Device } from "../device/device.ts";
import { withDevice, type DeviceOptions } from "../device/open.ts";
import { lineOf } from "../device/precision.ts";
import type { Failure } from "../failure.ts";
import { writeJson } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { Downloading } from "../platform/hub.ts";
import { describeStream } from "../report/describeStream.ts";
import { logLine } from "../report/log.ts";
import type { Method } from "../stages/learn.ts";
import type { Profile } from "../tensor/profile.ts";
import type { Event, Runtime } from "../training/runtime.ts";
import { beginningOf, type Beginning } from "./beginning.ts";
import { readLearner } from "./checkpoint.ts";
import { abandon, checkFree, holding } from "./held.ts";
import { whileGrowing, type Growing } from "./growing.ts";
import { decodeJob, type Job } from "./job.ts";
import type { LocateOptions } from "./locate.ts";
import { findAll, type Found } from "./placed.ts";
import { keeping, type Keeping } from "./keeping.ts";
import { sweep } from "./leftovers.ts";
import { methodOf, trains } from "./methodOf.ts";
import { written } from "./readRun.ts";
import { factsOf, type Outcome } from "./outcome.ts";
import { predicting } from "./predictions.ts";
import { whileProfiled } from "./profiled.ts";
import { runMethod, type From } from "./run.ts";
import { names, newest, readTraining, type Newest, type Within } from "./runFolder.ts";
import { readJob } from "./runOf.ts";

/** Options of {@link runJob} and {@link resume}. */
export interface JobOptions extends Pick<LocateOptions, "at" | "hub"> {
  /** Which device is used, in the precision of the job. Default: the first that opens. */
  readonly device?: Omit<DeviceOptions, "precision">;
  /** Called with every event, of the run and of the downloads before it. */
  readonly watch?: (event: Event | Downloading) => void;
  /** Called with the adapter's line when the device is open. */
  readonly opened?: (adapter: string) => void;
  /** Called at the end with where the time on the device went, which a file of the folder says too. Where it is not given nothing is measured. */
  readonly profiled?: (profile: Profile) => void;
  /** Called with what somebody should know and nothing fails by: the tasks with their pictures, what data lacks, what is kept of a run that fails. */
  readonly note?: (line: string) => void;
  /** Aborted when the run should stop. */
  readonly signal?: Runtime["signal"];
  /** Awaited whenever what was reached is whole in the folder; a run ends where it fails. Whoever gives it knows what is kept, and is not told. */
  readonly kept?: TE.TaskEither<Failure, void>;
  readonly files?: Files;
}

/** How far a job is in its folder, and what its result says of its options. What was kept within a task has no answers: those stand beside the last learner. */
interface Standing {
  readonly last: Newest | undefined;
  readonly within: Within | undefined;
  readonly written?: From;
}

/** A run that ended well, or was stopped behind its first task, has an outcome; of one that failed it is noted what is kept. */
const endOf =
  (job: Job, keep: Keeping, { note }: JobOptions, { tasks, skipped }: { readonly tasks: number; readonly skipped: () => number }) =>
  (ended: Awaited<ReturnType<ReturnType<ReturnType<typeof runMethod>>>>): TE.TaskEither<Failure, Outcome> => {
    if (E.isRight(ended))
      return pipe(
        keep.end(ended.right),
        TE.map((end) => ({ ...ended.right, ...end, skipped: skipped(), tasks, predictions: job.predictions === true, folder: job.out })),
      );
    return async () => {
      const left = await keep.left();
      if (E.isRight(left) && O.isSome(left.right)) note?.(left.right.value);
      else if (ended.left._tag === "Interrupted") note?.("No step was made yet, so nothing is kept.");
      return ended;
    };
  };

/** Runs a job on a device, from where it stands. */
const onDevice = (job: Job, method: Method, beginning: Beginning, { last, within, written }: Standing, device: Device, options: JobOptions, files: Files) => {
  const { learner, untrained, stream, testSets, from } = beginning;
  options.opened?.(lineOf(device));
  beginning.notes.forEach((note) => options.note?.(note));
  const reached = (within ?? last)?.reached;
  const skipped = new Set(reached?.skipped);
  const emit = (event: Event): void => {
    if (event.type === "skipped") skipped.add(event.id);
    options.watch?.(event);
  };
  const { seed, onCorrupt, accumulate, recompute } = job;
  const runtime: Runtime = { device, seed, images: imageCache(1024), emit, signal: options.signal, onCorrupt, accumulate, recompute };
  const logged = ({ log, predictions }: Growing): TE.TaskEither<Failure, Outcome> => {
    const keep = keeping(job, { stream, testSets, log, predictions, skipped: () => [...skipped], elsewhere: options.kept }, files);
    let broken: E.Either<Failure, void> = E.right(undefined);
    const running = runMethod(method, learner, stream, {
      evaluate: job.evaluate,
      untrained,
      from: { ...from, ...(reached && written), ...reached, reports: (last?.reached ?? from).reports, training: within?.kept },
      facts: factsOf(job, stream, method),
      log: (record) => {
        if (E.isRight(broken)) broken = log.write(logLine(record));
      },
      // A log that cannot be written ends the run at the next place where things are kept.
      keep: {
        ...keep,
        lesson: (run, update) =>
          pipe(
            TE.fromEither(broken),
            TE.chain(() => keep.lesson(run, update)),
          ),
      },
    })(predictions === undefined ? runtime : predicting(runtime, predictions));
    return pipe(
      TE.fromTask<Awaited<ReturnType<typeof running>>, Failure>(running),
      TE.chain(endOf(job, keep, options.kept === undefined ? options : {}, { tasks: stream.tasks.length, skipped: () => skipped.size })),
    );
  };
  return whileGrowing(job, reached, files, logged);
};

/** Finds all that a job names, once its method is known to be one. */
const found = (job: Job, options: JobOptions): TE.TaskEither<Failure, Found> =>
  pipe(
    TE.fromEither(methodOf(job)),
    TE.chain(() => findAll(job, options)),
  );

/** Writes a profile into the folder of a run and tells of it, where somebody asks for one. */
const profileIn = (out: string, { profiled }: JobOptions, files: Files): ((profile: Profile) => TE.TaskEither<Failure, void>) | undefined =>
  profiled === undefined
    ? undefined
    : (profile) =>
        pipe(
          writeJson(join(out, names.profile), profile, files),
          TE.map(() => profiled(profile)),
        );

/** Runs a job from where it stands, in its folder, which is held. */
const perform = ({ job, placed }: Found, standing: Standing, options: JobOptions, files: Files): TE.TaskEither<Failure, Outcome> =>
  pipe(
    TE.Do,
    TE.bind("method", () => TE.fromEither(methodOf(job))),
    TE.bind("beginning", () => beginningOf(placed, options)),
    TE.chainFirst(({ beginning }) =>
      pipe(
        describeStream(beginning.stream, { training: trains(job) }),
        TE.map((table) => options.note?.(table)),
      ),
    ),
    TE.bind("learner", ({ beginning }) => (standing.last === undefined ? TE.right(beginning.learner) : readLearner(standing.last.folder, { files }))),
    TE.chain(({ method, beginning, learner }) =>
      withDevice({ ...options.device, precision: job.precision })((device) =>
        whileProfiled(
          device,
          profileIn(job.out, options, files),
        )((device) => onDevice(job, method, { ...beginning, learner }, standing, device, options, files)),
      ),
    ),
  );

/** Runs a job that may be run. */
const begun = (job: Job, options: JobOptions): TE.TaskEither<Failure, Outcome> => {
  const { files = platform.files } = options;
  const out = files.absolute(job.out);
  const absolute: Job = { ...job, out, id: crypto.randomUUID() };
  const attempt = async (made: boolean): Promise<E.Either<Failure, Outcome>> => {
    const ended = await pipe(
      found(absolute, options),
      TE.chainFirst(({ job }) => writeJson(join(out, names.job), job, files)),
      TE.chain((all) => perform(all, { last: undefined, within: undefined }, options, files)),
    )();
    if (E.isRight(ended)) return ended;
    const kept: E.Either<Failure, Newest | undefined> = await newest(absolute, files)();
    const reached = (E.isRight(kept) && kept.right !== undefined) || (await files.exists(join(out, names.training))());
    if (!reached) await abandon(out, made, files)();
    return ended;
  };
  return pipe(
    TE.fromTask<boolean, Failure>(files.exists(out)),
    TE.chain((there) =>
      holding(
        out,
        files,
        pipe(
          checkFree(out, files),
          TE.chain(() => sweep(out, files)),
          TE.chain(() => () => attempt(!there)),
        ),
      ),
    ),
  );
};

/**
 * Runs a job in its folder, which is new or empty. What it reaches is kept there after every task, and within one where it is stopped, at the end of its
 * training, and every `checkpointSteps` steps; {@link resume} goes on from there, to the same bits. Where nothing was reached nothing is left. Fails as the
 * model, the data and the stages do; with `FileUnwritable` where the folder cannot be written to or is held; with `BadOption` where it is not empty, or where a
 * field of the job is missing, unknown or not what it should be.
 *
 * ```ts
 * const job = {
 *   version: 1 as const, model: `${folder}/clip`, source: { folders: [`${folder}/pets`] }, method: { name: "codyra", options: { rank: 8 } }, seed: 0,
 *   evaluate: { templates: "single" as const }, onCorrupt: "fail" as const, out: `${folder}/run`,
 * };
 * const outcome = await runJob(job, { note: (line) => console.error(line) })();
 * assert.ok(outcome._tag === "Left" && outcome.left._tag === "FileUnreadable"); // There is no model.
 * ```
 */
export const runJob = (job: Job, options: JobOptions = {}): TE.TaskEither<Failure, Outcome> =>
  TE.chain((checked: Job) => begun(checked, options))(TE.fromEither(decodeJob(job)));

/**
 * Goes on with the run in a folder, from what it has kept, to the bits of a run that was never stopped; of one that has ended it gives the outcome again. Fails
 * as {@link runJob} does, and with `FileUnreadable` where the folder is not that of a run.
 *
 * ```ts
 * const outcome = await resume(`${folder}/nothing`)();
 * assert.ok(outcome._tag === "Left" && outcome.left._tag === "FileUnreadable");
 * ```
 */
export const resume = (folder: string, options: JobOptions = {}): TE.TaskEither<Failure, Outcome> => {
  const { files = platform.files } = options;
  const out = files.absolute(folder);
  return pipe(
    readJob(out, files),
    TE.chain((job) =>
      holding(
        out,
        files,
        pipe(
          sweep(out, files),
          TE.bind("last", () => newest(job, files)),
          TE.bind("training", () => readTraining(out, files)),
          TE.bind("written", () => written(out, files)),
          TE.chain(({ last, training, written }) => {
            // A state of a task that was finished since has been overtaken.
            const within = training?.reached.reports.length === (last?.reached.reports.length ?? training?.reached.reports.length) ? training : undefined;
            return pipe(
              found(job, { ...options, at: files.absolute }),
              TE.chain((all) => perform(all, { last, within, written }, options, files)),
            );
          }),
        ),
      ),
    ),
  );
};
