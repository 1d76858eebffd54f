/** A run as its folder tells of it: what it found, how far it got, and what a page can show of it. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { readJson, readText } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { natural } from "../report/codec.ts";
import { decodeLog } from "../report/log.ts";
import { decodeRunResult } from "../report/resultCodec.ts";
import type { RunResult } from "../report/result.ts";
import { parseReplies } from "../report/replies.ts";
import { lossesOf, parseAnswers, type RunReport } from "../report/runReport.ts";
import type { From } from "./run.ts";
import { names } from "./runFolder.ts";

/** What the folder of a run says of it. */
export interface ReadRun {
  readonly folder: string;
  readonly result: RunResult;
  /** Whether it has not finished its stream: its result is then that of the finished tasks. */
  readonly interrupted: boolean;
  /** Tasks of its stream; undefined where an older version wrote the result. */
  readonly tasks?: number;
}

/** How far a run is, beside its result. */
const Extent = t.partial({ interrupted: t.boolean, tasks: natural });

/** Reads the result of a run. Fails with `FileUnreadable` or `FileCorrupt`, which name the file. */
export const readRun = (folder: string, files: Files): TE.TaskEither<Failure, ReadRun> => {
  const path = join(folder, names.result);
  return pipe(
    readJson(path, files),
    TE.chainEitherK((json) =>
      pipe(
        decodeRunResult(path)(json),
        E.map((result): ReadRun => {
          const { interrupted = false, tasks } = pipe(
            Extent.decode(json),
            E.getOrElse((): t.TypeOf<typeof Extent> => ({})),
          );
          return { folder, result, interrupted, ...(tasks === undefined ? {} : { tasks }) };
        }),
      ),
    ),
  );
};

/**
 * What the result of a run in a folder says of it: whether it has ended, and its options, which are more than the method's and count where an older version
 * kept the run. Nothing where it has no result.
 */
export const written = (out: string, files: Files): TE.TaskEither<Failure, Pick<From, "methodOptions" | "ended">> =>
  pipe(
    readRun(out, files),
    TE.match(
      () => ({}),
      ({ result, interrupted }) => ({ methodOptions: result.options, ended: !interrupted }),
    ),
    TE.fromTask,
  );

/** The losses in the log of a run; undefined where it has none that can be read, since a page without losses is better than none. */
export const readLosses = (folder: string, files: Files): T.Task<RunReport["losses"]> => {
  const path = join(folder, names.log);
  return pipe(
    files.read(path),
    TE.chainEitherK((bytes) => decodeLog(path)(new TextDecoder().decode(bytes))),
    TE.map(lossesOf),
    TE.getOrElse(() => T.of<RunReport["losses"]>(undefined)),
  );
};

/** What is read of a file; undefined where there is none. */
const readWhereThere = <A>(
  path: string,
  parse: (path: string) => (text: string) => E.Either<Failure, A>,
  files: Files,
): TE.TaskEither<Failure, A | undefined> =>
  pipe(
    TE.fromTask<boolean, Failure>(files.exists(path)),
    TE.chain((there) => (there ? pipe(readText(path, files), TE.chainEitherK(parse(path))) : TE.right(undefined))),
  );

/** The answers of a run; undefined where its folder has none. Fails with `FileCorrupt`. */
export const readAnswers = (folder: string, files: Files): TE.TaskEither<Failure, RunReport["answers"]> =>
  readWhereThere(join(folder, names.answers), parseAnswers, files);

/** What the questions of a run were answered with; undefined where its folder does not say. Fails with `FileCorrupt`. */
const readReplies = (folder: string, files: Files): TE.TaskEither<Failure, RunReport["replies"]> =>
  readWhereThere(join(folder, names.replies), parseReplies, files);

/** All that a page can show of a run. Fails with `FileCorrupt` where its answers are damaged. */
export const readReport = ({ folder, result }: Pick<ReadRun, "folder" | "result">, files: Files): TE.TaskEither<Failure, RunReport> =>
  pipe(
    TE.Do,
    TE.bind("answers", () => readAnswers(folder, files)),
    TE.bind("replies", () => readReplies(folder, files)),
    TE.bind("losses", () => TE.fromTask<RunReport["losses"], Failure>(readLosses(folder, files))),
    TE.map(({ answers, replies, losses }): RunReport => ({ result, answers, losses, ...(replies === undefined ? {} : { replies }) })),
  );
