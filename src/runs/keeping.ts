/** Keeps what a job reaches, in its folder, and says what was kept where it fails. */
import * as O from "fp-ts/lib/Option.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { listNames } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Appender, Files } from "../platform/files.ts";
import type { ClassIncremental } from "../report/classIncremental.ts";
import type { Job } from "./job.ts";
import { writeFigures, writePage, writeResult } from "./outcome.ts";
import { withAnswersOf } from "../training/lesson.ts";
import type { Keep, Progress, Run } from "./run.ts";
import { names, newest, retireOthers, writeAfter, writeTraining, type TestSet } from "./runFolder.ts";

/** What keeps a job. */
export interface Keeping extends Keep {
  /** Writes the result of a run that has ended, and gives its learner the name that it has at the end: where that is. */
  readonly end: (run: Run) => TE.TaskEither<Failure, { readonly sessions: ClassIncremental | undefined; readonly model: string }>;
  /** What a run that fails has left, in a sentence; nothing where it had reached nothing. */
  readonly left: TE.TaskEither<Failure, O.Option<string>>;
}

/** Gives the newest learner the name that it has at the end, unless something stands there that somebody put there. */
const nameModel = (run: string, last: string, files: Files): TE.TaskEither<Failure, string> => {
  const model = join(run, names.model);
  return pipe(
    listNames(run, files),
    TE.chain((all) =>
      all.includes(names.model)
        ? TE.right(last)
        : pipe(
            files.rename(last, model),
            TE.map(() => model),
          ),
    ),
  );
};

/** How far a run is, without answers: within a task they are those that stand beside the learner. */
const bare = ({ zeroShot, reports, seconds }: Progress): Progress => ({
  zeroShot: withAnswersOf(zeroShot),
  reports: reports.map((report) => withAnswersOf(report)),
  seconds,
});

/** What is kept of a job beside its progress. */
interface Kept {
  readonly stream: Stream;
  /** Of the probes of the stream. */
  readonly testSets: readonly TestSet[];
  readonly log: Appender;
  /** Gives the samples that were left out so far. */
  readonly skipped: () => readonly string[];
}

/** Keeps a job over a stream. */
export const keeping = (job: Job, { stream, testSets, log, skipped }: Kept, files: Files): Keeping => {
  const { out, checkpointSteps } = job;
  const about = { Model: job.model, Data: "folders" in job.source ? job.source.folders.join(", ") : `${job.source.protocol} in ${job.source.root}` };
  const state = (progress: Run["progress"]) => ({ ...progress, run: job.id, testSets, logged: log.size(), skipped: skipped() });
  const learner = (run: Run): TE.TaskEither<Failure, string> =>
    pipe(
      writeAfter(out, run.learner, state(run.progress), files),
      TE.chainFirst((after) => retireOthers(job, after, files)),
      TE.chainFirst(() => files.remove(join(out, names.training))),
    );
  return {
    lesson: (run) =>
      pipe(
        learner(run),
        TE.chain(() => writeResult(out, run, stream, skipped(), about, files)),
        TE.map(() => undefined),
      ),
    ...(checkpointSteps === undefined
      ? {}
      : { training: { every: checkpointSteps, save: (kept, progress) => writeTraining(out, { kept, reached: state(bare(progress)) }, files) } }),
    end: (run) =>
      pipe(
        TE.Do,
        TE.bind("sessions", () => writeFigures(out, run, stream, skipped(), files)),
        TE.chainFirst(() => writePage(out, run, stream, about, files)),
        TE.bind("last", () => newest(job, files)),
        // A method that has no lessons has kept no learner.
        TE.bind("folder", ({ last }) => (last === undefined ? learner(run) : TE.right(last.folder))),
        // A run that was killed behind its last task may have left them.
        TE.chainFirst(({ folder }) => retireOthers(job, folder, files)),
        TE.chainFirst(() => files.remove(join(out, names.training))),
        TE.bind("model", ({ folder }) => nameModel(out, folder, files)),
      ),
    left: pipe(
      newest(job, files),
      TE.chain((last): TE.TaskEither<Failure, O.Option<string>> => {
        const goesOn = `cambium resume ${out} goes on`;
        if (last === undefined)
          return TE.fromTask(async () =>
            (await files.exists(join(out, names.training))()) ? O.some(`The steps of the first task are kept; ${goesOn}.`) : O.none,
          );
        const finished = last.reached.reports.map(({ task }) => task);
        return pipe(
          nameModel(out, last.folder, files),
          TE.map((model) =>
            O.some(`${finished.length === 1 ? "1 task is" : `${finished.length} tasks are`} kept in ${model} (${finished.join(", ")}); ${goesOn}.`),
          ),
        );
      }),
    ),
  };
};
