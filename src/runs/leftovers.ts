/** What writes that never ended have left in the folder of a run. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { listNames } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { names } from "./runFolder.ts";

/** Whether a name is that of a file of a run which is not whole yet; the model within a learner that is not whole has two dots. */
export const isLeftover = (name: string, files: Files): boolean =>
  files.unfinished(name) &&
  /^\.{1,2}(lock|job\.json|training\.safetensors|result\.json|answers\.json|replies\.json|profile\.json|report\.html|model|after-\d+)\./.test(name);

/** Whether a name is that of an adapter which is not whole yet. */
const isAdapterLeftover = (name: string, files: Files): boolean => files.unfinished(name) && /^\.{1,2}\d+-/.test(name);

/** Removes what writes that never ended have left in the folder of a run. */
export const sweep = (run: string, files: Files): TE.TaskEither<Failure, void> => {
  const cleared = (folder: string, isLeft: typeof isLeftover) =>
    pipe(
      listNames(folder, files),
      TE.chain((all) => TE.traverseSeqArray((name: string) => files.remove(join(folder, name)))(all.filter((name) => isLeft(name, files)))),
      TE.map(() => undefined),
    );
  const adapters = join(run, names.adapters);
  return pipe(
    cleared(run, isLeftover),
    TE.chain(() => TE.fromTask<boolean, Failure>(files.exists(adapters))),
    TE.chain((there) => (there ? cleared(adapters, isAdapterLeftover) : TE.right(undefined))),
  );
};
