/** The folder of a run while it is held: nobody else writes there. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { listNames } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { isLeftover } from "./leftovers.ts";
import { names } from "./runFolder.ts";

/** Holds the folder of a run. */
export const holding = <A>(run: string, files: Files, use: TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  pipe(
    files.lock(run),
    TE.chain((lock) => () => use().finally(lock.release)),
  );

const lockName = ".lock";

/** Refuses a folder that holds something: a run does not overwrite. */
export const checkFree = (run: string, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    listNames(run, files),
    TE.map((all) => all.filter((name) => name !== lockName && !isLeftover(name, files))),
    TE.filterOrElse(
      (held) => held.length === 0,
      (): Failure => ({ _tag: "BadOption", option: "--out", detail: `${run} is there already and is not an empty folder; name another` }),
    ),
    TE.map(() => undefined),
  );

/** Removes the files of a run that has reached nothing, and the folder where it was made for it. */
export const abandon = (run: string, made: boolean, files: Files): TE.TaskEither<Failure, void> =>
  pipe(
    TE.traverseSeqArray((name: string) => files.remove(join(run, name)))([names.job, names.log, names.predictions, names.adapters]),
    TE.chain(() => listNames(run, files)),
    TE.chain((left) => (made && left.every((name) => name === lockName) ? files.remove(run) : TE.right(undefined))),
  );
