/** What a sweep writes down of the jobs that failed: of one that failed at its beginning there is no folder. */
import { pipe } from "fp-ts/lib/function.js";
import * as T from "fp-ts/lib/Task.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { readJsonAs, writeJson } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";

/** Sentences by the names of jobs. */
export type Failures = Readonly<Record<string, string>>;

const pathIn = (folder: string): string => join(folder, "failures.json");

/** The failures that were written down last; none where the file is missing or damaged. */
export const readFailures = (folder: string, files: Files): T.Task<Failures> =>
  pipe(
    readJsonAs(t.record(t.string, t.string), pathIn(folder), files),
    TE.getOrElse(() => T.of<Failures>({})),
  );

/** Writes failures down; the file goes where there are none. */
export const writeFailures = (folder: string, failures: Failures, files: Files): TE.TaskEither<Failure, void> =>
  Object.keys(failures).length === 0 ? files.remove(pathIn(folder)) : writeJson(pathIn(folder), failures, files);
