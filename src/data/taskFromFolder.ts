/**
 * A dataset folder of any layout as a task.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { unreadable } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Entry, Files } from "../platform/files.ts";
import { answerFilesIn, hasQuestions } from "./answerFiles.ts";
import { shardsHaveQuestions } from "./shardQuestions.ts";
import { readAnswerTask } from "./answerTask.ts";
import { pictureName } from "./classFolders.ts";
import { imageFolder } from "./imageFolder.ts";
import { leftOut } from "./leftOut.ts";
import { filesOf, type SourceOptions } from "./source.ts";
import { isAnswered, type ClassTask, type Task } from "./task.ts";
import { parquetFolder, parquetPathsIn } from "./parquetFolder.ts";
import { webDataset } from "./webdataset.ts";

/** A file that no reader unpacks. */
const compressed = /\.(jsonl?|tar|parquet)\.(gz|bz2|xz|zst)$|\.(zip|tgz)$/;

const splits: readonly string[] = ["train", "test", "val"];

/** What stands in a folder; nothing where it is missing. */
const entriesOf = async (dir: string, files: Files): Promise<readonly Entry[]> => {
  const listed = await files.list(dir)();
  return E.isLeft(listed) ? [] : listed.right;
};

/** What a dataset folder looks like: `flat` has class folders and no splits. */
type Layout = "answers" | "shards" | "folders" | "parquet" | "flat" | "none";

/** The layout of a split. */
const layoutOfSplit = (entries: readonly Entry[]): Layout => {
  if (entries.some((e) => e.name.endsWith(".tar") || e.name === "nshards.txt")) return "shards";
  return entries.some((e) => e.kind === "folder") ? "folders" : "none";
};

const layoutOf = async (dir: string, entries: readonly Entry[], files: Files, drawn: boolean): Promise<Layout> => {
  if (await hasQuestions(dir, entries, files)) return "answers";
  const folders = entries.filter(({ kind, name }) => kind === "folder" && !name.startsWith(".")).map(({ name }) => name);
  if (folders.some((name) => splits.includes(name))) {
    const layouts = await Promise.all(splits.map(async (split) => layoutOfSplit(await entriesOf(join(dir, split), files))));
    const found = (["shards", "folders"] as const).find((layout) => layouts.includes(layout));
    const named = entries.some(({ name }) => name === "classnames.txt");
    if (found === "shards" && !named && (await shardsHaveQuestions(dir, files))) return "answers";
    if (found !== undefined) return found;
  }
  const parquet = await parquetPathsIn(dir, files)();
  if (E.isRight(parquet) && parquet.right.length > 0) return "parquet";
  // Files that are called as those of questions are, and do not begin so: their reader says what they are.
  const { train, test } = answerFilesIn(entries);
  const otherwise = train === undefined && test === undefined ? "none" : "answers";
  if (folders.some((name) => splits.includes(name))) return otherwise;
  // Pictures of questions lie in the folder `images`, which is no class then, and `task.json` is of questions alone.
  if (otherwise === "answers" && (folders.every((name) => name === "images") || entries.some(({ name }) => name === "task.json"))) return otherwise;
  if (drawn && folders.length > 0) return "flat";
  for (const name of folders) if ((await entriesOf(join(dir, name), files)).some((e) => e.kind === "file" && pictureName.test(e.name))) return "flat";
  return otherwise;
};

/** What a folder that is no dataset has instead. */
const insteadOf = async (dir: string, entries: readonly Entry[], files: Files): Promise<string> => {
  const found = leftOut();
  const inside = await Promise.all(
    splits.map(async (split) => (await entriesOf(join(dir, split), files)).map((entry) => ({ ...entry, name: `${split}/${entry.name}` }))),
  );
  for (const { kind, name } of [...entries, ...inside.flat()])
    if (kind === "broken link") found.add("link that leads nowhere", "links that lead nowhere", name);
    else if (kind === "file" && compressed.test(name)) found.add("compressed file, which is not unpacked", "compressed files, which are not unpacked", name);
  const words = found.words();
  return words === undefined ? "" : `; there is ${words}`;
};

/** A task whose notes end with one more, of its training split. */
const withNote =
  (note: string) =>
  (task: Task): Task => {
    const { train, test } = task.notes ?? { train: async () => [], test: async () => [] };
    return { ...task, notes: { train: async () => [...(await train()), note], test } };
  };

/**
 * The task in `dir`, in the WebDataset, the ImageFolder or the Parquet layout, or of questions that are answered in words ({@link readAnswerTask}), whichever
 * is there. Fails with `FileUnreadable`, which says what a dataset looks like, or that class folders without train and test need the option `split`.
 *
 * ```ts
 * const { files } = platform;
 * await get(files.write(`${folder}/sums/test.jsonl`, [new TextEncoder().encode('{"prompt": "1 + 1?", "answer": "2"}')]));
 * assert.ok(data.isAnswered(await get(data.readTask(`${folder}/sums`))));
 * ```
 */
export const readTask = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, Task> => {
  const files = filesOf(options);
  return pipe(
    files.list(dir),
    TE.chainTaskK((entries) => async () => ({ entries, layout: await layoutOf(dir, entries, files, options.split !== undefined) })),
    TE.chain(({ entries, layout }) => {
      const drawn = options.split !== undefined;
      if (layout === "answers" || layout === "shards" || layout === "folders" || layout === "parquet") {
        const read = { answers: readAnswerTask, shards: webDataset, folders: imageFolder, parquet: parquetFolder }[layout];
        const task: TE.TaskEither<Failure, Task> = read(dir, options);
        const { train, test } = answerFilesIn(entries);
        const whole = layout === "answers" && train !== undefined && test === undefined;
        return drawn && !whole ? pipe(task, TE.map(withNote("it has splits of its own, and none is drawn"))) : task;
      }
      if (layout === "flat" && drawn) return imageFolder(dir, options);
      if (layout === "flat")
        return TE.left(
          unreadable(dir)("it has class folders and neither train nor test; --split 0.8 (the option split) draws 80 % of its pictures for training"),
        );
      const wanted =
        "it is no dataset: wanted classnames.txt and {train,test}/0.tar (WebDataset), {train,test}/CLASS/*.jpg (ImageFolder), Parquet files, " +
        "or {train,test}.jsonl with prompts and answers";
      return pipe(
        TE.fromTask(() => insteadOf(dir, entries, files)),
        TE.chain((instead) => TE.left(unreadable(dir)(`${wanted}${instead}`))),
      );
    }),
  );
};

/** {@link readTask} of a dataset that is classified; fails with `FileUnreadable` where it is one of questions that are answered in words. */
export const taskFromFolder = (dir: string, options: SourceOptions = {}): TE.TaskEither<Failure, ClassTask> =>
  pipe(
    readTask(dir, options),
    TE.chain((task) => (isAnswered(task) ? TE.left(unreadable(dir)("it has questions that are answered in words, and no classes")) : TE.right(task))),
  );
