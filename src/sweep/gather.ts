/** What the runs of a sweep found, side by side. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { writeText } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files, Lock } from "../platform/files.ts";
import { comparedTable, compareRuns, type Compared } from "../runs/compare.ts";
import { comparedPage } from "../runs/comparedPage.ts";
import { pause } from "../platform/pause.ts";

/** The files of a sweep beside the folders of its jobs. */
export const tables = { text: "table.txt", csv: "table.csv", page: "report.html" } as const;

/** Holds a folder as soon as it is free. */
const held =
  (folder: string, files: Files): TE.TaskEither<Failure, Lock> =>
  async () => {
    for (;;) {
      const lock = await files.lock(folder)();
      if (E.isRight(lock) || lock.left._tag !== "FileUnwritable" || !lock.left.held) return lock;
      await pause(200);
    }
  };

/** Holds the folder of a sweep while its files are written: one process at a time, so that the last has read all that the others knew. */
export const alone = <A>(folder: string, use: TE.TaskEither<Failure, A>, files: Files): TE.TaskEither<Failure, A> =>
  pipe(
    held(folder, files),
    TE.chain((lock) => () => use().finally(lock.release)),
  );

/** Compares some runs of a sweep, and writes their tables and their page into its folder. */
export const gather = (folder: string, runs: readonly string[], files: Files): TE.TaskEither<Failure, Compared | undefined> => {
  if (runs.length === 0) return TE.right(undefined);
  const write = (name: string, text: string): TE.TaskEither<Failure, void> => writeText(join(folder, name), text, files);
  return pipe(
    compareRuns(
      runs.map((name) => join(folder, name)),
      { files },
    ),
    TE.chainFirst((compared) => write(tables.text, `${comparedTable(compared, "text")}\n`)),
    TE.chainFirst((compared) => write(tables.csv, `${comparedTable(compared, "csv")}\r\n`)),
    TE.chainFirst((compared) =>
      pipe(
        comparedPage(compared, { files }),
        TE.chain((page) => write(tables.page, page)),
      ),
    ),
  );
};
