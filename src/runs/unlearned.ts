/** Datasets of a job that are never learned: probes, which are scored, and a reference, which methods distil on. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { protocols } from "../data/protocols.ts";
import { isAnswered, type ClassTask, type Task } from "../data/task.ts";
import { readTask } from "../data/taskFromFolder.ts";
import { join, liesIn } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { adjusted, checkSplit, titled } from "./folders.ts";
import type { Placed } from "./placed.ts";
import { datasetsAt } from "./source.ts";

/** The folders that a job may learn from. */
const learnedFrom = ({ source }: Placed): readonly string[] => {
  if ("folders" in source) return source.folders;
  const where = datasetsAt(source);
  if (typeof where !== "string") return Object.values(where);
  return protocols[source.protocol].datasets.flatMap(({ folders }) => folders.flatMap((name) => [join(where, name), join(where, `wds_${name}`)]));
};

const noTestPictures = (path: string, why: string): Failure => ({
  _tag: "FileUnreadable",
  path,
  detail: `a probe is scored on its test pictures, and it has none (${why})`,
});

/** A folder as it is named, and what that leads to. */
interface Real {
  readonly folder: string;
  readonly real: string;
}

const realOf =
  (folders: readonly string[], files: Files): T.Task<readonly Real[]> =>
  () =>
    Promise.all(folders.map(async (folder) => ({ folder: files.absolute(folder), real: await files.real(folder)() })));

/** How a folder shares pictures with one that is learned; undefined where it does not. */
const sharing = (probe: Real, learned: Real): string | undefined => {
  if (probe.real === learned.real) return probe.folder === learned.folder ? "is" : `is the same folder as ${learned.folder}, which is`;
  if (liesIn(probe.real, learned.real)) return `lies inside of ${learned.folder}, which is`;
  return liesIn(learned.real, probe.real) ? `holds ${learned.folder}, which is` : undefined;
};

/** Why a folder is learned, in some way; undefined where it is not. */
const learnedAs = ({ folder, real }: Real, learned: readonly Real[], what: string): string | undefined => {
  const how = learned.map((task) => sharing({ folder, real }, task)).find((words) => words !== undefined);
  return how === undefined ? undefined : `${folder} ${how} learned as a task; ${what} is a dataset that is never learned`;
};

/** Why a folder cannot be a probe beside the probes before it. */
const unfit = (probe: Real, before: readonly Real[], learned: readonly Real[]): string | undefined => {
  const { folder, real } = probe;
  const same = before.find((other) => other.real === real);
  if (same !== undefined) return same.folder === folder ? `${folder} is named twice` : `${folder} is the same folder as ${same.folder}; name it once`;
  return learnedAs(probe, learned, "a probe");
};

/** The folders `named`, unless one of them is not fit beside those that a job and the jobs before it learn from; links are followed. */
const checkedFolders = (
  [job, earlier]: readonly [Placed, readonly Placed[]],
  [option, named]: readonly [string, readonly string[]],
  fault: typeof unfit,
  files: Files,
): TE.TaskEither<Failure, readonly string[]> =>
  pipe(
    T.Do,
    T.bind("folders", () => realOf(named, files)),
    T.bind("learned", () => realOf([...earlier, job].flatMap(learnedFrom), files)),
    T.map(({ folders, learned }) => {
      const detail = folders.map((one, i) => fault(one, folders.slice(0, i), learned)).find((words) => words !== undefined);
      return detail === undefined ? E.right(folders.map(({ folder }) => folder)) : E.left<Failure>({ _tag: "BadOption", option, detail });
    }),
  );

/**
 * The probes of a job, behind the jobs `earlier`; of class folders alone all pictures are scored. Fails as datasets do that have no test pictures; with
 * `BadOption` where a folder comes twice, or is one that a task is learned from, lies inside of it or holds it.
 */
const probesOf = (job: Placed, earlier: readonly Placed[], files: Files): TE.TaskEither<Failure, readonly Task[]> =>
  pipe(
    checkedFolders([job, earlier], ["--probe", job.probes ?? []], unfit, files),
    TE.chain(
      TE.traverseSeqArray((dir) =>
        pipe(
          readTask(dir, { onCorrupt: job.onCorrupt, split: "test", columns: job.columns, platform: { ...platform, files } }),
          TE.chainFirst((probe) =>
            pipe(
              checkSplit(dir, "test", probe.test),
              TE.mapLeft((failure) => (failure._tag === "FileUnreadable" ? noTestPictures(dir, failure.detail) : failure)),
            ),
          ),
          TE.map(titled(dir, job.titles)),
          TE.map(adjusted(job)),
        ),
      ),
    ),
  );

/** The pictures of a reference: those for training, or all where class folders have no splits. */
const referencePictures = ({ train, test }: ClassTask): ClassTask["train"] =>
  pipe(
    train,
    TE.chain((pictures) => (pictures.length > 0 ? TE.right(pictures) : test)),
  );

/**
 * The reference dataset of a job, behind the jobs `earlier`, where it names one. Fails as datasets do that have no pictures; with `BadOption` where it is
 * answered in words, or where a task is learned from it, lies inside of it or holds it.
 */
const referenceOf = (job: Placed, earlier: readonly Placed[], files: Files): TE.TaskEither<Failure, ClassTask | undefined> => {
  if (job.reference === undefined) return TE.right(undefined);
  const bad = (detail: string): Failure => ({ _tag: "BadOption", option: "--reference", detail });
  return pipe(
    checkedFolders([job, earlier], ["--reference", [job.reference]], (one, _, learned) => learnedAs(one, learned, "a reference"), files),
    TE.chain(([dir]) =>
      pipe(
        readTask(dir, { onCorrupt: job.onCorrupt, split: "test", columns: job.columns, platform: { ...platform, files } }),
        TE.map(titled(dir, job.titles)),
        TE.filterOrElse(
          (task): task is ClassTask => !isAnswered(task),
          ({ name }) => bad(`${name} is answered in words; a reference has pictures and classes`),
        ),
        TE.map((task): ClassTask => ({ ...task, train: referencePictures(task) })),
        TE.chainFirst(({ train }) => checkSplit(dir, "training", train)),
      ),
    ),
  );
};

/** The probes and the reference of a job, behind the jobs `earlier`. Fails as each of them does. */
export const unlearnedOf = (
  job: Placed,
  earlier: readonly Placed[],
  files: Files,
): TE.TaskEither<Failure, { readonly probes: readonly Task[]; readonly reference: ClassTask | undefined }> =>
  pipe(
    probesOf(job, earlier, files),
    TE.bindTo("probes"),
    TE.bind("reference", () => referenceOf(job, earlier, files)),
  );
