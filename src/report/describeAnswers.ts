/** What a stream of tasks that are answered in words holds, before anything is learned. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { printable } from "../data/leftOut.ts";
import { chanceOf, damageOf, type Question } from "../data/question.ts";
import type { AnswerStream, AnswerTask, Notes, TaskScore } from "../data/task.ts";
import { describe, legible, type Failure } from "../failure.ts";
import { count, fixed, missing } from "./format.ts";
import { splitLines, streamTable } from "./streamTable.ts";
import { alignLeft, alignRight } from "./table.ts";

/** What a split holds. */
export interface QuestionSummary {
  readonly questions: number;
  /** Those of all questions together, frames of videos too. */
  readonly pictures: number;
  /** Where there are some: how many, and the most frames of one. */
  readonly videos?: { readonly count: number; readonly frames: number };
}

/** What a task holds that is answered in words: its training split where that is used, its test split, and a line for what its reader left out. */
export interface AnswerTaskSummary {
  readonly name: string;
  readonly score: TaskScore;
  /** How its questions are asked, where it says so itself. */
  readonly chat?: string;
  /** The first of its test questions that can be read. */
  readonly sample?: Pick<Question, "prompt" | "answer">;
  /** Percent of right guesses among the choices of the test questions; null where they have none. */
  readonly chance: number | null;
  readonly train?: QuestionSummary;
  readonly test: QuestionSummary;
  readonly notes: readonly string[];
}

/** What there is to say of one split. */
interface Described extends QuestionSummary {
  readonly chance: number | null;
  readonly notes: readonly string[];
  readonly unread: readonly string[];
  readonly reason?: string;
  readonly sample?: AnswerTaskSummary["sample"];
}

/** Why a question is damaged: its line stands before it already. */
const reasonOf = (failure: Failure): string => (failure._tag === "CorruptSample" ? legible(failure.detail) : describe(failure));

const describeSplit = async (questions: readonly Question[], notes: Notes | undefined): Promise<Described> => {
  const damaged = questions.filter((question) => damageOf(question) !== undefined);
  const whole = questions.filter((question) => damageOf(question) === undefined);
  const videos = whole.filter(({ video }) => video === true);
  return {
    questions: whole.length,
    pictures: whole.reduce((sum, { pictures }) => sum + pictures.length, 0),
    ...(videos.length === 0 ? {} : { videos: { count: videos.length, frames: videos.reduce((most, { pictures }) => Math.max(most, pictures.length), 0) } }),
    chance: chanceOf(whole),
    unread: damaged.map(({ id }) => id),
    ...(damaged.length === 0 ? {} : { reason: reasonOf(damageOf(damaged[0])!) }),
    ...(whole.length === 0 ? {} : { sample: { prompt: whole[0].prompt, answer: whole[0].answer } }),
    notes: (await notes?.()) ?? [],
  };
};

const summaryOf = ({ questions, pictures, videos }: Described): QuestionSummary => ({ questions, pictures, ...(videos === undefined ? {} : { videos }) });

/** What a task that is answered in words holds; `training` says whether its training split is used, and so listed. Fails as its lists do. */
export const summariseAnswers =
  (training: boolean) =>
  (task: AnswerTask): TE.TaskEither<Failure, AnswerTaskSummary> => {
    const split = (name: "train" | "test"): TE.TaskEither<Failure, Described> =>
      pipe(
        task[name],
        TE.chainTaskK((questions) => () => describeSplit(questions, task.notes?.[name])),
      );
    return pipe(
      split("test"),
      TE.bindTo("test"),
      TE.bind("train", () => (training ? split("train") : TE.right(undefined))),
      TE.map(({ train, test }) => ({
        name: task.name,
        score: task.score,
        ...(task.chat === undefined ? {} : { chat: task.chat }),
        ...(test.sample === undefined ? {} : { sample: test.sample }),
        chance: test.chance,
        ...(train === undefined ? {} : { train: summaryOf(train) }),
        test: summaryOf(test),
        notes: splitLines(train, test),
      })),
    );
  };

/** A stream of answered tasks in words: a table of questions and, where there are any, pictures, then what its readers left out. */
export const describeAnswers = ({ tasks, probes = [] }: AnswerStream, training: boolean): TE.TaskEither<Failure, string> =>
  pipe(
    [...tasks.map(summariseAnswers(training)), ...probes.map(summariseAnswers(false))],
    TE.sequenceSeqArray,
    TE.map((described) => {
      const pictured = described.some(({ train, test }) => test.pictures + (train?.pictures ?? 0) > 0);
      const numbers = (heading: string, of: (d: AnswerTaskSummary) => number | undefined): readonly string[] =>
        alignRight([heading, ...described.map((d) => of(d)).map((n) => (n === undefined ? missing : count(n)))]);
      const split = (heading: string, of: (d: AnswerTaskSummary) => QuestionSummary | undefined): readonly (readonly string[])[] => [
        numbers(heading, (d) => of(d)?.questions),
        ...(pictured ? [numbers("with pictures", (d) => of(d)?.pictures)] : []),
      ];
      return streamTable(
        [
          alignLeft(["Task", ...tasks.map(({ name }) => printable(name)), ...probes.map(({ name }) => `${printable(name)} (probe)`)]),
          alignLeft(["Score", ...described.map(({ score }) => score)]),
          alignRight(["By chance", ...described.map(({ chance }) => fixed(1)(chance))]),
          ...(training ? split("Training questions", ({ train }) => train) : []),
          ...split("Test questions", ({ test }) => test),
        ],
        described,
      );
    }),
  );
