/**
 * A dataset folder of either layout as a task.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { imageFolder } from "./imageFolder.ts";
import type { SourceOptions } from "./source.ts";
import type { Task } from "./task.ts";
import { webDataset } from "./webdataset.ts";

/** Whether a split looks like shards or like class folders; undefined where it is missing or neither. */
const layout = async (dir: string): Promise<"shards" | "folders" | undefined> => {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  if (entries.some((e) => e.name.endsWith(".tar") || e.name === "nshards.txt")) return "shards";
  return entries.some((e) => e.isDirectory()) ? "folders" : undefined;
};

/** The task in `dir`, in the WebDataset or the ImageFolder layout, whichever is there; `FileUnreadable` says what a dataset looks like. */
export const taskFromFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, Task> =>
  pipe(
    TE.tryCatch(() => readdir(dir), unreadable(dir)),
    TE.chainTaskK(() => () => Promise.all(["train", "test", "val"].map((split) => layout(join(dir, split))))),
    TE.chain((found) => {
      if (found.includes("shards")) return webDataset(dir, options);
      if (found.includes("folders")) return imageFolder(dir, options);
      return TE.left<Failure>({
        _tag: "FileUnreadable",
        path: dir,
        detail: "it is no dataset: wanted classnames.txt and {train,test}/0.tar (WebDataset), or {train,test}/CLASS/*.jpg (ImageFolder)",
      });
    }),
  );
