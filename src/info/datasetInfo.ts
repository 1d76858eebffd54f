/** What there is to know of a dataset. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { ColumnNames } from "../data/parquetColumns.ts";
import { readTask } from "../data/taskFromFolder.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import type { AnswerTaskSummary } from "../report/describeAnswers.ts";
import { summariseTask, type TaskSummary } from "../report/describeStream.ts";

/** A dataset: of classes, or of questions. One of class folders alone, without train and test, has its pictures under `test`, and no `train`. */
export type DatasetInfo = (TaskSummary | AnswerTaskSummary) & {
  readonly kind: "dataset";
  readonly folder: string;
};

/** What of a dataset its files may not say. */
export interface DatasetOptions {
  /** The columns of Parquet files. */
  readonly columns?: ColumnNames;
  /** The share that is drawn for training from class folders without train and test. */
  readonly split?: number;
}

/** Tells of the dataset in a folder; what cannot be read is counted among its notes. Fails as `readTask` does. */
export const readDatasetInfo = (folder: string, files: Files, { columns, split }: DatasetOptions = {}): TE.TaskEither<Failure, DatasetInfo> => {
  const options = { onCorrupt: "skip", columns, split, platform: { ...platform, files } } as const;
  return pipe(
    readTask(folder, options),
    TE.chain(summariseTask(true)),
    TE.orElse((failure) =>
      pipe(
        readTask(folder, { ...options, split: "test" }),
        TE.chain(summariseTask(false)),
        TE.mapLeft(() => failure),
      ),
    ),
    TE.map((summary): DatasetInfo => ({ kind: "dataset", folder, ...summary })),
  );
};
