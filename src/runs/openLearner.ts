/** A learner by any name that a person has for it. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { readBytes } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Learner } from "../model/learner.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { parseRunResult } from "../report/resultCodec.ts";
import type { Predictor } from "../stages/inference.ts";
import { readLearnerOrModel } from "./checkpoint.ts";
import type { Job } from "./job.ts";
import { locate, type LocateOptions } from "./locate.ts";
import { methodOf } from "./methodOf.ts";
import { names } from "./runFolder.ts";
import { newestOf, readJob, runOf } from "./runOf.ts";
import { readOne } from "./runsIn.ts";

/** A learner, and what is known of it beside what it keeps itself. */
export interface OpenedLearner extends Predictor {
  /** The folder that it was read from. */
  readonly folder: string;
  /** The job of its run, where it is that of a run; only then it is known what its method evaluates through. */
  readonly job?: Job;
}

/** The classes of each task that a learner of a run has learned, from the run's result; undefined where that does not say so. */
const tasksOf =
  (run: string, { seen: { length: seen } }: Learner, files: Files) =>
  async (): Promise<readonly number[] | undefined> => {
    const path = join(run, names.result);
    const read = await pipe(
      readBytes(path, files),
      TE.chainEitherK((bytes) => parseRunResult(path)(new TextDecoder().decode(bytes))),
    )();
    const classes = E.isRight(read) ? read.right.classes : [];
    const known = classes.reduce((n, count) => n + count, 0);
    if (known === seen) return classes;
    // A run that was killed has written down its newest learner, and not yet its result with that one's last task.
    return known > 0 && known < seen ? [...classes, seen - known] : undefined;
  };

/** A learner in the folder of its run. */
const ofRun = (run: string, folder: string, files: Files, note: LocateOptions["note"]): TE.TaskEither<Failure, OpenedLearner> =>
  pipe(
    readJob(run, files),
    TE.bindTo("job"),
    TE.bind("method", ({ job }) => TE.fromEither(methodOf(job))),
    TE.bind("learner", () => readLearnerOrModel(folder, { files })),
    TE.bind("tasks", ({ learner }) => TE.fromTask(tasksOf(run, learner, files))),
    TE.map(({ job, method: { inference = {} }, learner, tasks }) => {
      if (tasks === undefined && inference.calibration !== undefined)
        note?.(`${run}: its ${names.result} does not say which classes each task had, so the task of a picture is not predicted`);
      const { chat, context } = job;
      return { learner, folder, job, inference, asking: { chat, context }, ...(tasks === undefined ? {} : { tasks }) };
    }),
  );

/** The learner in a folder. */
const inFolder = (folder: string, options: LocateOptions): TE.TaskEither<Failure, OpenedLearner> => {
  const { files = platform.files, note } = options;
  return pipe(
    TE.Do,
    TE.bind("run", () => TE.fromTask<string | undefined, Failure>(() => runOf(folder, files))),
    TE.bind("newest", () => newestOf(folder, files)),
    TE.chain(({ run, newest }) => {
      if (run === undefined)
        return pipe(
          readOne(folder, files, readLearnerOrModel(folder, options)),
          TE.map((learner) => ({ learner, folder })),
        );
      if (newest === undefined) return ofRun(run, folder, files, note);
      return newest.last === undefined
        ? TE.left<Failure>({ _tag: "FileUnreadable", path: folder, detail: `this run has finished no task yet; cambium resume ${folder} goes on` })
        : ofRun(run, newest.last.folder, files, note);
    }),
  );
};

/**
 * Opens a learner by any name: the folder of a model, that of an adapter of PEFT, that of a learner, or that of a run, whose newest learner it is then,
 * together with its job. Fails as `readModel`, `readPeft` and `readLearner` do, with `FileUnreadable` where nothing is there, and where a run has finished no
 * task.
 *
 * ```ts
 * const opened = await openLearner(`${folder}/runs/pets`)();
 * assert.ok(opened._tag === "Left" && opened.left._tag === "FileUnreadable"); // There is no such run.
 * ```
 */
export const openLearner = (name: string, options: LocateOptions = {}): TE.TaskEither<Failure, OpenedLearner> =>
  pipe(
    locate("model", name, options),
    TE.chain(({ folder }) => inFolder(folder, options)),
  );
