/**
 * Checks that a folder has all that a protocol needs whose tasks are answered in words, and makes the protocol's stream of it.
 *
 * A task's folder and the files in it are looked for under the names that they are published with, and then under those that any folder of questions may have.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, type Failure } from "../failure.ts";
import { exists } from "../formats/files.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import type { AnswerDataset, AnswerProtocol } from "./answerProtocols.ts";
import { readAnswerTask } from "./answerTask.ts";
import { allTasks, findingsOn, type Checked, type CheckedProtocol, type DatasetsAt, type ProtocolOptions } from "./checked.ts";
import { withReferences } from "./references.ts";
import { fewShot } from "./sampling.ts";
import { filesOf } from "./source.ts";
import type { AnswerStream, AnswerTask } from "./task.ts";

/** The first of some names that is there in a folder. */
const firstThere = async (dir: string, names: readonly string[], files: Files): Promise<string | undefined> => {
  for (const name of names) if (await exists(join(dir, name), files)) return name;
  return undefined;
};

/** The folder of a task; on the left, what it was looked for as. */
const findFolder = async ({ name, folders }: AnswerDataset, where: DatasetsAt, files: Files): Promise<E.Either<string, string>> => {
  if (typeof where !== "string") return where[name] === undefined ? E.left(name) : E.right(where[name]);
  const found = await firstThere(where, folders, files);
  return found === undefined ? E.left(folders.join(" or ")) : E.right(join(where, found));
};

/** The published files that a folder has, from it on. */
type Published = { readonly [Part in "train" | "test" | "images" | "references"]?: string };

const publishedIn = async (dir: string, { train = [], test = [], images = [], references }: AnswerDataset, files: Files): Promise<Published> => ({
  train: await firstThere(dir, train, files),
  test: await firstThere(dir, test, files),
  images: await firstThere(dir, images, files),
  references: await firstThere(dir, references === undefined ? [] : [references], files),
});

/** The task in a folder, with the score and the form of questions that the protocol says. */
const readTask = (
  { chat, context, maxTokens, frames }: AnswerProtocol,
  { name, score }: AnswerDataset,
  dir: string,
  { references, ...published }: Published,
  { onCorrupt, platform }: ProtocolOptions,
): TE.TaskEither<Failure, AnswerTask> =>
  pipe(
    readAnswerTask(dir, { onCorrupt, platform, name, score, chat, context, maxTokens, frames, ...published }),
    TE.map((task) => (references === undefined ? task : { ...task, test: withReferences(task.test, join(dir, references), filesOf({ platform })) })),
  );

/** Finds a task of a protocol and lists its splits; the one for training where it is needed. */
const checkDataset = async (protocol: AnswerProtocol, wanted: AnswerDataset, where: DatasetsAt, options: ProtocolOptions): Promise<Checked<AnswerTask>> => {
  const { problem, note, checked } = findingsOn<AnswerTask>(wanted.name);
  const files = filesOf(options);
  const dir = await findFolder(wanted, where, files);
  if (E.isLeft(dir)) {
    problem(`there is no folder ${dir.left}`);
    return checked();
  }
  const published = await publishedIn(dir.right, wanted, files);
  const task = await readTask(protocol, wanted, dir.right, published, options)();
  if (E.isLeft(task)) {
    problem(describe(task.left));
    return checked();
  }
  for (const split of options.training === false ? (["test"] as const) : (["train", "test"] as const)) {
    const questions = await task.right[split]();
    const called = published[split] === undefined ? wanted[split]?.[0] : undefined;
    if (E.isLeft(questions)) problem(`${describe(questions.left)}${called === undefined ? "" : ` (it is published as ${called})`}`);
    else if (questions.right.length === 0) problem(`${dir.right} has no questions to ${split}`);
    else if (split === "test" && wanted.questions !== undefined && questions.right.length !== wanted.questions)
      note(`${dir.right} has ${questions.right.length} test questions, the protocol ${wanted.questions}`);
  }
  if (wanted.references !== undefined && published.references === undefined)
    note(`${dir.right} has no ${wanted.references}, so the answers of its test questions are their only references`);
  return checked(task.right);
};

/**
 * The stream of a protocol whose tasks are answered in words, from the folder of all or from that of each, in the order learned and named as in the protocol.
 * Fails with one `FileUnreadable` that lists everything that is missing: folders, files, pictures.
 */
export const checkAnswers = (protocol: AnswerProtocol, where: DatasetsAt, options: ProtocolOptions): TE.TaskEither<Failure, CheckedProtocol<AnswerStream>> =>
  pipe(
    TE.fromTask<readonly Checked<AnswerTask>[], Failure>(async () => {
      const checked: Checked<AnswerTask>[] = [];
      for (const wanted of protocol.datasets) checked.push(await checkDataset(protocol, wanted, where, options));
      return checked;
    }),
    TE.chainEitherK((checked) =>
      pipe(
        allTasks(protocol.name, where, checked),
        E.map((tasks) => ({
          stream: { labelSpace: "task", tasks: protocol.shots === undefined ? tasks : tasks.map(fewShot(protocol.shots, options.seed)) },
          notes: [...(protocol.notes ?? []), ...checked.flatMap((c) => c.notes)],
        })),
      ),
    ),
  );
