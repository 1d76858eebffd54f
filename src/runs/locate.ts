/** Where models and datasets are: what a person calls one becomes a folder, and a name that means the same wherever a job is read. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";

/** A model or a dataset that was found. */
export interface Located {
  /** Where its files are. */
  readonly folder: string;
  /** What a job writes down: located again, it gives the same files. */
  readonly name: string;
}

/** Options of {@link locate}. */
export interface LocateOptions {
  readonly files?: Files;
  /** Makes a path absolute. Default: from the folder that the process stands in. */
  readonly at?: (path: string) => string;
}

/**
 * Finds the folder of a model or of a dataset. Fails with `FileUnreadable` where there is none.
 *
 * ```ts
 * const located = await locate("dataset", `${folder}/./pets`)();
 * assert.ok(located._tag === "Left" && located.left._tag === "FileUnreadable"); // There is no such folder.
 * ```
 */
export const locate = (kind: "model" | "dataset", name: string, options: LocateOptions = {}): TE.TaskEither<Failure, Located> => {
  const { files = platform.files, at = files.absolute } = options;
  const folder = at(name);
  return pipe(
    TE.fromTask<boolean, Failure>(files.exists(folder)),
    TE.filterOrElse(
      (there) => there,
      (): Failure => ({ _tag: "FileUnreadable", path: folder, detail: `there is no such folder of a ${kind}` }),
    ),
    TE.map(() => ({ folder, name: folder })),
  );
};
