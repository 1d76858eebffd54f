/**
 * A dataset folder of either layout as a task.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { imageFolder } from "./imageFolder.ts";
import { filesOf, type SourceOptions } from "./source.ts";
import type { Task } from "./task.ts";
import { webDataset } from "./webdataset.ts";

/** Whether a split looks like shards or like class folders; undefined where it is missing or neither. */
const layout = async (dir: string, files: Files): Promise<"shards" | "folders" | undefined> => {
  const listed = await files.list(dir)();
  if (E.isLeft(listed)) return undefined;
  if (listed.right.some((e) => e.name.endsWith(".tar") || e.name === "nshards.txt")) return "shards";
  return listed.right.some((e) => e.kind === "folder") ? "folders" : undefined;
};

/** The task in `dir`, in the WebDataset or the ImageFolder layout, whichever is there; `FileUnreadable` says what a dataset looks like. */
export const taskFromFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, Task> =>
  pipe(
    filesOf(options).list(dir),
    TE.chainTaskK(() => () => Promise.all(["train", "test", "val"].map((split) => layout(join(dir, split), filesOf(options))))),
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
