/** Keeps what a job reaches, in its folder, and says what was kept where it fails. */
import * as E from "fp-ts/lib/Either.js";
import * as O from "fp-ts/lib/Option.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { listNames } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import type { ClassIncremental } from "../report/classIncremental.ts";
import { writeAdapter } from "./adapters.ts";
import type { Growing } from "./growing.ts";
import type { Job } from "./job.ts";
import { writeFigures, writePage, writeResult } from "./outcome.ts";
import { withAnswersOf, withoutAnswers } from "../training/lesson.ts";
import type { Keep, Progress, Run } from "./run.ts";
import { names, newest, retireOthers, writeAfter, writeTraining, type Reached, type TestSet } from "./runFolder.ts";

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

/** How far a run is, without the answers of its lessons: within a task they are those that stand beside the learner. */
const bare = ({ zeroShot, reports, ...rest }: Progress): Progress => ({
  ...rest,
  zeroShot: withoutAnswers(zeroShot),
  reports: reports.map((report) => withAnswersOf(report)),
});

/** What is kept of a job beside its progress. */
interface Kept extends Growing {
  readonly stream: Stream;
  /** Of the probes of the stream. */
  readonly testSets: readonly TestSet[];
  /** Gives the samples that were left out so far. */
  readonly skipped: () => readonly string[];
  /** Keeps elsewhere, too, what was kept in the folder. */
  readonly elsewhere?: TE.TaskEither<Failure, void>;
}

/** How far a run is, as it is written down; all that was predicted so far is in its file then. */
const stateOf =
  ({ id }: Job, { testSets, log, predictions, skipped }: Kept) =>
  (progress: Run["progress"]): TE.TaskEither<Failure, Reached> =>
    pipe(
      TE.fromEither(predictions?.flush() ?? E.right(undefined)),
      TE.map(() => {
        const predicted = predictions === undefined ? {} : { predicted: predictions.size() };
        return { ...progress, run: id, testSets, logged: log.size(), ...predicted, skipped: skipped() };
      }),
    );

const dataOf = ({ source }: Job): string => {
  if ("folders" in source) return source.folders.join(", ");
  return `${source.protocol}${source.root === undefined ? "" : ` in ${source.root}`}`;
};

/** Keeps a job over a stream. */
export const keeping = (job: Job, kept: Kept, files: Files): Keeping => {
  const { stream, skipped, elsewhere = TE.right(undefined) } = kept;
  const { out, checkpointSteps } = job;
  const about = { Model: job.model, Data: dataOf(job) };
  const state = stateOf(job, kept);
  const learner = (run: Run): TE.TaskEither<Failure, string> =>
    pipe(
      state(run.progress),
      TE.chain((reached) => writeAfter(out, run.learner, reached, files)),
      TE.chainFirst((after) => retireOthers(job, after, files)),
      TE.chainFirst(() => files.remove(join(out, names.training))),
    );
  return {
    lesson: (run, update) =>
      pipe(
        // Before the learner: a run that is killed between the two learns the task again, and writes its adapter again.
        writeAdapter(job, run, update, files),
        TE.chain(() => learner(run)),
        TE.chain(() => writeResult(out, run, stream, skipped(), about, files)),
        TE.chain(() => elsewhere),
      ),
    training: {
      every: checkpointSteps,
      save: (training, progress) =>
        pipe(
          state(bare(progress)),
          TE.chain((reached) => writeTraining(out, { kept: training, reached }, files)),
          TE.chain(() => elsewhere),
        ),
    },
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
        // One that was stopped goes on within its task.
        TE.chainFirst(() => (run.interrupted ? TE.right(undefined) : files.remove(join(out, names.training)))),
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
