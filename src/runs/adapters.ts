/** The adapters of a run, as folders that PEFT loads: one after each task. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible, type Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Update } from "../model/adapters/update.ts";
import { writePeft } from "../model/peft/write.ts";
import type { Files } from "../platform/files.ts";
import type { Job } from "./job.ts";
import type { Run } from "./run.ts";
import { names } from "./runFolder.ts";
import { newestOf } from "./runOf.ts";

/** The name of the model that the adapters of a job belong to: that which it begins with, and behind a run the newest learner of that. */
export const baseOfRun = ({ model }: Pick<Job, "model">, files: Files): TE.TaskEither<Failure, string> =>
  pipe(
    newestOf(model, files),
    TE.map((run) => run?.last?.folder ?? model),
  );

/** The name of a task as that of a file on any system. */
const fileName = (task: string): string =>
  task
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "")
    .slice(0, 60);

/** Writes what the last task of a run has added to the weights as `adapters/K-TASK`, where the job asks for it and the task has merged adapters. */
export const writeAdapter = (job: Job, run: Run, update: Update | undefined, files: Files): TE.TaskEither<Failure, void> => {
  if (job.saveAdapters !== true || update === undefined) return TE.right(undefined);
  const tasks = run.progress.reports.map(({ task }) => task);
  const [task, before] = [tasks[tasks.length - 1], tasks.slice(0, -1)];
  const about = [
    `It holds what ${job.method.name} has learned of ${task}, task ${tasks.length} of its stream${before.length === 0 ? "" : `, behind ${before.join(", ")}`}.`,
    "The adapters of a run belong onto its model one after the other, each merged, in the order of their numbers.",
  ].join(" ");
  const folder = join(job.out, names.adapters, `${tasks.length}-${fileName(task)}`);
  return pipe(
    baseOfRun(job, files),
    TE.chain((base) => writePeft(folder, run.learner.model, update, { base, about: legible(about, 2000), files })),
  );
};
