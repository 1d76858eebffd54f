/** The runs that a folder stands for: itself, or those that it holds, as the folder of a sweep does. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { someOf } from "../data/leftOut.ts";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { names } from "./runFolder.ts";

/** The file of a sweep in its folder. */
export const sweepFile = "sweep.json";

/** The folders of runs that a path stands for, and of those that have finished no task. */
export interface Found {
  readonly reached: readonly string[];
  readonly begun: readonly string[];
}

const none: Found = { reached: [], begun: [] };

/** All that some paths stand for. */
export const together = (all: readonly Found[]): Found => ({
  reached: all.flatMap(({ reached }) => reached),
  begun: all.flatMap(({ begun }) => begun),
});

const inOrder = new Intl.Collator("en", { numeric: true }).compare;

/** Where a folder stands between its first file and its last: no run, one that has finished no task, or one with a result. */
const itself = async (folder: string, files: Files): Promise<Found | undefined> => {
  if (await files.exists(join(folder, names.result))()) return { ...none, reached: [folder] };
  return (await files.exists(join(folder, names.job))()) ? { ...none, begun: [folder] } : undefined;
};

/** The runs in a folder that is none, and in the sweeps there. */
const inside = async (folder: string, files: Files): Promise<E.Either<Failure, Found>> => {
  const listed = await files.list(folder)();
  if (E.isLeft(listed)) return listed;
  const folders = listed.right.filter(({ name, kind }) => kind === "folder" && !files.unfinished(name)).map(({ name }) => join(folder, name));
  const found = await Promise.all(
    [...folders].sort(inOrder).map(async (path): Promise<Found> => {
      const run = await itself(path, files);
      if (run !== undefined || !(await files.exists(join(path, sweepFile))())) return run ?? none;
      const below = await inside(path, files);
      return E.isRight(below) ? below.right : none;
    }),
  );
  return E.right(together(found));
};

/** What a path stands for. Fails with `FileUnreadable` where it is not there, or is a folder that is no run and holds none. */
export const runsIn = (path: string, files: Files): TE.TaskEither<Failure, Found> =>
  pipe(
    TE.fromTask<Found | undefined, Failure>(() => itself(path, files)),
    TE.chain((run) => {
      if (run !== undefined) return TE.right(run);
      return pipe(
        () => inside(path, files),
        TE.filterOrElse(
          ({ reached, begun }) => reached.length + begun.length > 0,
          (): Failure => ({ _tag: "FileUnreadable", path, detail: `it is not the folder of a run, and holds none: there is no ${names.result}` }),
        ),
      );
    }),
  );

/** Reads one learner in a folder; a folder that holds runs instead is refused with their names. */
export const readOne = <A>(folder: string, files: Files, read: TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  pipe(
    read,
    TE.orElse((failure) =>
      pipe(
        failure._tag === "FileUnreadable" ? runsIn(folder, files) : TE.left(failure),
        TE.matchE(
          () => TE.left(failure),
          ({ reached, begun }) => {
            const held = [...reached, ...begun].map((run) => run.slice(join(folder, "/").length));
            const detail = `it holds ${held.length === 1 ? "a run" : `${held.length} runs`}: ${someOf(held, 8)}; name ${held.length === 1 ? "that" : "one"}`;
            return TE.left<Failure, A>({ _tag: "FileUnreadable", path: folder, detail });
          },
        ),
      ),
    ),
  );
