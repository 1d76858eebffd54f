/**
 * A folder of questions as a task that is answered in words: `{train,test}.jsonl` or `.json` with pictures beside them, or `{train,test}/0.tar` with samples
 * `KEY.json`; and a `task.json` that may say how the task is asked and scored.
 */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { exists, readJsonAs, unreadable } from "../formats/files.ts";
import { list } from "../formats/json.ts";
import { basename, join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { scoreNames } from "../scores/table.ts";
import { answerFilesIn, rowsOf, type AnswerFiles } from "./answerFiles.ts";
import { drawn } from "./drawnSplit.ts";
import { leftOut } from "./leftOut.ts";
import { damageOf, type Question } from "./question.ts";
import { pictureFinder, usualFrames } from "./questionPictures.ts";
import { listingOf, type QuestionOptions } from "./questions.ts";
import { readShardQuestions } from "./shardQuestions.ts";
import { filesOf, listedOnce, ownDecoder, splitFolders, splitsOf, type Listing, type SourceOptions } from "./source.ts";
import type { AnswerTask, TaskScore } from "./task.ts";

const Positive = new t.Type<number, unknown, unknown>(
  "a positive whole number",
  t.number.is,
  (u, context) => (Number.isSafeInteger(u) && (u as number) > 0 ? t.success(u as number) : t.failure(u, context)),
  t.identity,
);

/** What `task.json` may state. */
const fields = {
  score: t.keyof(Object.fromEntries(["choice", ...scoreNames].map((name) => [name, null])) as Readonly<Record<TaskScore, null>>),
  maxTokens: Positive,
  context: Positive,
  chat: t.string,
  choices: list(t.string),
  frames: Positive,
  images: t.string,
};
const Settings = t.partial(fields);

/** How a task is asked and scored, where its folder does not say, or says otherwise. */
export interface AnswerSettings {
  /** Its score. Default: `choice` where every test question has choices, else `exact`. */
  readonly score?: TaskScore;
  /** The most tokens of an answer that is generated. */
  readonly maxTokens?: number;
  /** The most tokens of a question and its answer. */
  readonly context?: number;
  /** The chat template, by name or as a text that has `{prompt}`. */
  readonly chat?: string;
  /** The choices of questions that name none. */
  readonly choices?: readonly string[];
  /** How many frames of a video are taken. Default 8. */
  readonly frames?: number;
  /** The folder that pictures are in, from that of the task on. Default: that of the task, and `images` in it. */
  readonly images?: string;
}

/** Options of {@link readAnswerTask}; those of its settings win over `task.json`. */
export interface AnswerTaskOptions extends SourceOptions, AnswerSettings {
  /** Default: the name of the folder. */
  readonly name?: string;
  /** The files of the splits, from the folder on, where they are called otherwise. */
  readonly train?: string;
  readonly test?: string;
}

/** The settings of a folder; `BadConfig` for a key that is none. */
const readSettings = (dir: string, files: Files): TE.TaskEither<Failure, AnswerSettings> => {
  const path = join(dir, "task.json");
  const Known = new t.Type<AnswerSettings, unknown, unknown>("an object", Settings.is, Settings.validate as t.Validate<unknown, AnswerSettings>, t.identity);
  return pipe(
    TE.fromTask<boolean, Failure>(() => exists(path, files)),
    TE.chain((there) => (there ? readJsonAs(Known, path, files) : TE.right({}))),
    TE.chainEitherK((settings): E.Either<Failure, AnswerSettings> => {
      const unknown = Object.keys(settings).find((key) => !Object.hasOwn(fields, key));
      if (unknown === undefined) return E.right(settings);
      return E.left({ _tag: "BadConfig", path, detail: `"${unknown}" is none of ${Object.keys(fields).join(", ")}` });
    }),
  );
};

/** How a split is listed. */
type List = (split: "train" | "test", how: QuestionOptions) => TE.TaskEither<Failure, Listing<Question>>;

/** The splits of files; what stands beside them is told of the test split. */
const listFiles =
  (dir: string, { passedOver, ...found }: AnswerFiles, settings: AnswerSettings, files: Files): List =>
  (split, how) => {
    const name = found[split];
    if (name === undefined) {
      const wanted = split === "train" ? "train.jsonl or train.json" : "test.jsonl or test.json (or validation, or val)";
      const drawn =
        split === "test" && found.train !== undefined ? "; --split 0.8 (the option split) draws 80 % for training and leaves the others for testing" : "";
      return TE.left(unreadable(dir)(`it has no questions to ${split}; wanted ${wanted}${drawn}`));
    }
    const path = join(dir, name);
    const roots = settings.images === undefined ? [dir, join(dir, "images")] : [join(dir, settings.images)];
    const words = split === "test" ? leftOut(passedOver).words() : undefined;
    return pipe(
      rowsOf(path, files),
      TE.chain((rows) => () => listingOf(path, rows, pictureFinder(roots, settings.frames ?? usualFrames, files), how)),
      TE.map(({ examples, notes }) => ({ examples, notes: [...(words === undefined ? [] : [`left out ${words}`]), ...notes] })),
    );
  };

/** Both splits drawn from the questions for training. */
const listDrawn =
  (list: List, name: string, share: number): List =>
  (split, how) =>
    pipe(
      list("train", how),
      TE.map(({ examples, notes }) => ({
        examples: drawn(name, examples, share, split === "train"),
        notes: [...notes, `${Math.round(100 * share)} % of its ${examples.length} questions are drawn for training, the others are for testing`],
      })),
    );

const listShards =
  (dir: string, options: SourceOptions): List =>
  (split, how) =>
    pipe(
      splitFolders(dir, filesOf(options)),
      TE.chain((where) => readShardQuestions(where[split], split === "test" ? where.beside : [], how, options)),
    );

/** The score of a task that states none. Damaged questions have no say. */
const usualScore = (questions: readonly Question[]): TaskScore => {
  const whole = questions.filter((question) => damageOf(question) === undefined);
  return whole.length > 0 && whole.every(({ choices }) => choices !== undefined) ? "choice" : "exact";
};

const nameOf = (dir: string, options: AnswerTaskOptions): string => options.name ?? basename(filesOf(options).absolute(dir));

/** The share that is drawn for training where a folder has no split for testing. */
const shareOf = ({ split }: AnswerTaskOptions): number | undefined => (typeof split === "number" && split > 0 && split < 1 ? split : undefined);

const taskOf = (dir: string, list: List, settings: AnswerSettings, options: AnswerTaskOptions): TE.TaskEither<Failure, AnswerTask> => {
  const { onCorrupt = "fail" } = options;
  const { choices, maxTokens, context, chat } = settings;
  const how = { onCorrupt, ...(choices === undefined ? {} : { choices }) };
  const test = listedOnce(list("test", { ...how, chosen: settings.score === "choice" }));
  return pipe(
    settings.score === undefined
      ? pipe(
          test,
          TE.map(({ examples }) => usualScore(examples)),
        )
      : TE.right(settings.score),
    TE.map(
      (score): AnswerTask => ({
        kind: "answer",
        name: nameOf(dir, options),
        score,
        ...(maxTokens === undefined ? {} : { maxTokens }),
        ...(context === undefined ? {} : { context }),
        ...(chat === undefined ? {} : { chat }),
        ...splitsOf(list("train", { ...how, chosen: false }), test),
        ...ownDecoder(options),
      }),
    ),
  );
};

/** The settings that options state. */
const stated = ({ score, maxTokens, context, chat, choices, frames, images }: AnswerSettings): AnswerSettings =>
  Object.fromEntries(Object.entries({ score, maxTokens, context, chat, choices, frames, images }).filter(([, value]) => value !== undefined));

/**
 * The questions in a folder as a task that is answered in words, named after it: JSON lines or a JSON list of records `{ prompt, answer, choices?, image? |
 * images? | video? }` or in LLaVA's layout, or shards whose samples have `.json` members of that kind. `validation` stands in for a missing `test`. Of several
 * answers the first is learned. Where no score is stated, the test split is read at once. By default a record that is none, or whose picture is missing, fails
 * its split (`CorruptSample`); with `onCorrupt: "skip"` it stands in the split as a question that fails. What is left out is in the task's notes.
 *
 * ```ts
 * const { files } = platform;
 * const lines = ['{"prompt": "Is it red?", "answer": "no", "choices": ["yes", "no"]}'].map((line) => new TextEncoder().encode(line));
 * for (const name of ["train.jsonl", "test.jsonl"]) await get(files.write(`${folder}/colours/${name}`, lines));
 * const task = await get(data.readAnswerTask(`${folder}/colours`));
 * assert.equal(`${task.name} ${task.score}`, "colours choice");
 * assert.equal((await get(task.train))[0].answer, "no");
 * ```
 */
export const readAnswerTask = (dir: string, options: AnswerTaskOptions = {}): TE.TaskEither<Failure, AnswerTask> => {
  const files = filesOf(options);
  return pipe(
    TE.Do,
    TE.bind("said", () => readSettings(dir, files)),
    TE.bind("entries", () => files.list(dir)),
    TE.chain(({ said, entries }) => {
      const settings = { ...said, ...stated(options) };
      const { train, test } = options;
      const found = { ...answerFilesIn(entries), ...(train === undefined ? {} : { train }), ...(test === undefined ? {} : { test }) };
      const shards =
        found.train === undefined && found.test === undefined && entries.some(({ kind, name }) => kind === "folder" && ["train", "test", "val"].includes(name));
      const list = shards ? listShards(dir, options) : listFiles(dir, found, settings, files);
      const share = found.train !== undefined && found.test === undefined ? shareOf(options) : undefined;
      return taskOf(dir, share === undefined ? list : listDrawn(list, nameOf(dir, options), share), settings, options);
    }),
  );
};
