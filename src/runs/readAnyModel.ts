/** Models by their folders: one of Hugging Face, or an adapter of PEFT, whose base model is found and changed by it. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import { mergeUpdate } from "../model/adapters/update.ts";
import { readModel, type Model } from "../model/model.ts";
import { baseOfPeft, peftNames } from "../model/peft/config.ts";
import { readPeft } from "../model/peft/read.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";
import { locate, type LocateOptions } from "./locate.ts";

/** Whether a folder is that of an adapter and not of a model. */
const isPeft = async (dir: string, files: Files): Promise<boolean> =>
  (await files.exists(join(dir, peftNames.config))()) &&
  !(await files.exists(join(dir, "model.safetensors"))()) &&
  !(await files.exists(join(dir, "model.safetensors.index.json"))());

/**
 * Reads the folder of a model; or that of an adapter of PEFT, which is merged into the model that it names as its base. Fails as `readModel` and
 * {@link readPeft} do, and where the base is not found.
 */
export const readAnyModel = (dir: string, options: LocateOptions = {}): TE.TaskEither<Failure, Model> => {
  const { files = platform.files } = options;
  const adapted = pipe(
    baseOfPeft(dir, files),
    TE.chain((base) => locate("model", base, options)),
    TE.chain(({ folder }) => readModel(folder, { files })),
    TE.chain((base) =>
      pipe(
        readPeft(dir, base, { files }),
        TE.map((update) => mergeUpdate(base, update)),
      ),
    ),
  );
  return pipe(
    TE.fromTask<boolean, Failure>(() => isPeft(dir, files)),
    TE.chain((peft) => (peft ? adapted : readModel(dir, { files }))),
  );
};
