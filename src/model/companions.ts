/** The files of a model folder beside its configuration and its weights: they are kept as they were read. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { exists, readBytes } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";
import type { Files } from "../platform/files.ts";

/** The files that may say how images are prepared; the first counts. */
export const processorNames = ["preprocessor_config.json", "processor_config.json"];

/** The files of tokenizer and image processor. */
export const companions: readonly string[] = [
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "vocab.json",
  "merges.txt",
  ...processorNames,
  "tokenizer.model",
  "added_tokens.json",
  "chat_template.jinja",
  "generation_config.json",
];

/** The files of tokenizer and image processor in a folder, by name. */
export const readCompanions =
  (dir: string, disk: Files = platform.files): TE.TaskEither<Failure, ReadonlyMap<string, Uint8Array>> =>
  async () => {
    const files = new Map<string, Uint8Array>();
    for (const name of companions) {
      const path = join(dir, name);
      if (!(await exists(path, disk))) continue;
      const bytes = await readBytes(path, disk)();
      if (E.isLeft(bytes)) return bytes;
      files.set(name, bytes.right);
    }
    return E.right(files);
  };
