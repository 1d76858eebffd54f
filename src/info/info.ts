/** What lies in a folder: a model, a learner, an adapter, a dataset, a run or a sweep, as data and in words. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import { peftNames } from "../model/peft/config.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { locate, type Located, type LocateOptions } from "../runs/locate.ts";
import { names } from "../runs/runFolder.ts";
import { sweepFile } from "../runs/runsIn.ts";
import { readDatasetInfo, type DatasetInfo, type DatasetOptions } from "./datasetInfo.ts";
import { readModelInfo, type LearnerInfo, type ModelInfo } from "./modelInfo.ts";
import { readPeftInfo, type PeftInfo } from "./peftInfo.ts";
import { readRunInfo, type RunInfo } from "./runInfo.ts";
import { readSweepInfo, type SweepInfo } from "./sweepInfo.ts";

/** What lies in a folder, as plain data; `kind` says which it is. */
export type Info = ModelInfo | LearnerInfo | PeftInfo | DatasetInfo | RunInfo | SweepInfo;

/** Each kind by the file that tells it; a folder that has none of them may be a dataset. */
const readers: readonly (readonly [string, (folder: string, files: Files) => TE.TaskEither<Failure, Info>])[] = [
  [names.job, readRunInfo],
  [sweepFile, readSweepInfo],
  [peftNames.config, readPeftInfo],
  ["config.json", readModelInfo],
];

const looked = `it has no ${readers.map(([name]) => name).join(", ")}`;

/** A folder that is none of all this. */
const unknown = (failure: Failure): Failure =>
  failure._tag === "FileUnreadable" && failure.detail.startsWith("it is no dataset")
    ? { ...failure, detail: `${looked}, so it is no run, sweep, adapter or model, and ${failure.detail}` }
    : failure;

/** Where it lies: a path, or the name of a model or of a dataset on the hub. */
const located = (name: string, options: LocateOptions): TE.TaskEither<Failure, Located> => {
  const [likely, other] = name.startsWith("wds_") ? (["dataset", "model"] as const) : (["model", "dataset"] as const);
  return pipe(
    locate(likely, name, options),
    TE.orElse((failure) =>
      pipe(
        locate(other, name, options),
        TE.mapLeft(() => failure),
      ),
    ),
  );
};

/**
 * Tells what a folder, or a name of the hub, holds: a model, a learner, an adapter of PEFT, a dataset, a run or a sweep. A model is read whole, so what is
 * told of is sound. Fails with `FileUnreadable` where nothing of the kind is there, and as the readers do where it is damaged.
 *
 * ```ts
 * const told = await info(`${folder}/nothing`)();
 * assert.ok(told._tag === "Left" && told.left._tag === "FileUnreadable");
 * ```
 */
export const info = (name: string, options: LocateOptions & DatasetOptions = {}): TE.TaskEither<Failure, Info> => {
  const { files = platform.files } = options;
  return pipe(
    located(name, options),
    TE.chain(({ folder }) =>
      pipe(
        readers,
        TE.traverseSeqArray(([file, read]) =>
          pipe(
            TE.fromTask<boolean, Failure>(files.exists(join(folder, file))),
            TE.map((there) => (there ? [read] : [])),
          ),
        ),
        TE.chain((found): TE.TaskEither<Failure, Info> => {
          const [read] = found.flat();
          return read === undefined ? pipe(readDatasetInfo(folder, files, options), TE.mapLeft(unknown)) : read(folder, files);
        }),
      ),
    ),
  );
};
