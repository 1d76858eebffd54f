/** What there is to know of a dataset. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { taskFromFolder } from "../data/taskFromFolder.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { summariseTask, type TaskSummary } from "../report/describeStream.ts";

/** A dataset. One of class folders alone, without train and test, has its pictures under `test`, and no `train`. */
export interface DatasetInfo extends TaskSummary {
  readonly kind: "dataset";
  readonly folder: string;
}

/** Tells of the dataset in a folder; what cannot be read is counted among its notes. Fails as `taskFromFolder` does. */
export const readDatasetInfo = (folder: string, files: Files): TE.TaskEither<Failure, DatasetInfo> => {
  const options = { onCorrupt: "skip", platform: { ...platform, files } } as const;
  return pipe(
    taskFromFolder(folder, options),
    TE.chain(summariseTask(true)),
    TE.orElse((failure) =>
      pipe(
        taskFromFolder(folder, { ...options, split: "test" }),
        TE.chain(summariseTask(false)),
        TE.mapLeft(() => failure),
      ),
    ),
    TE.map((summary): DatasetInfo => ({ kind: "dataset", folder, ...summary })),
  );
};
