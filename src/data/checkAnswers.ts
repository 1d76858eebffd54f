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

/** The task in a folder, with the files, the score and the questions' form that the protocol says. */
const readTask = async (protocol: AnswerProtocol, wanted: AnswerDataset, dir: string, options: ProtocolOptions): Promise<E.Either<Failure, AnswerTask>> => {
  const { onCorrupt, platform } = options;
  const { chat, context, maxTokens, frames } = protocol;
  const { name, score } = wanted;
  const find = (names: readonly string[] = []): Promise<string | undefined> => firstThere(dir, names, filesOf(options));
  const [train, test, images] = [await find(wanted.train), await find(wanted.test), await find(wanted.images)];
  return readAnswerTask(dir, { onCorrupt, platform, name, score, chat, context, maxTokens, frames, train, test, images })();
};

/** Finds a task of a protocol and lists its splits; the one for training where it is needed. */
const checkDataset = async (protocol: AnswerProtocol, wanted: AnswerDataset, where: DatasetsAt, options: ProtocolOptions): Promise<Checked<AnswerTask>> => {
  const { problem, note, checked } = findingsOn<AnswerTask>(wanted.name);
  const dir = await findFolder(wanted, where, filesOf(options));
  if (E.isLeft(dir)) {
    problem(`there is no folder ${dir.left}`);
    return checked();
  }
  const task = await readTask(protocol, wanted, dir.right, options);
  if (E.isLeft(task)) {
    problem(describe(task.left));
    return checked();
  }
  for (const split of options.training === false ? (["test"] as const) : (["train", "test"] as const)) {
    const questions = await task.right[split]();
    const published = wanted[split]?.[0];
    if (E.isLeft(questions)) problem(`${describe(questions.left)}${published === undefined ? "" : ` (it is published as ${published})`}`);
    else if (questions.right.length === 0) problem(`${dir.right} has no questions to ${split}`);
    else if (split === "test" && wanted.questions !== undefined && questions.right.length !== wanted.questions)
      note(`${dir.right} has ${questions.right.length} test questions, the protocol ${wanted.questions}`);
  }
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
