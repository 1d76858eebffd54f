/** What a page can show of one run: its result, the losses of its lessons, and the answers to its test images or questions. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { list, parseJson } from "../formats/json.ts";
import { firstError, natural, nullable } from "./codec.ts";
import type { LogRecord } from "./log.ts";
import { meanOf } from "./metrics.ts";
import type { DatasetReplies } from "./replies.ts";
import type { RunResult } from "./result.ts";

/** The answers to the test images of one dataset. Labels and answers are positions in `classNames`. */
export interface DatasetAnswers {
  readonly dataset: string;
  /** Of all tasks of the stream, in their order: in label spaces of several tasks an answer can be a class of another. */
  readonly classNames: readonly string[];
  readonly ids: readonly string[];
  readonly labels: readonly number[];
  /** Right after its task; null where the image was not scored then, and for a model that never learns or learns all tasks at once. */
  readonly learned: readonly (number | null)[];
  /** At the end; null where the image was not scored then. */
  readonly last: readonly (number | null)[];
}

/** One run, as far as a page can show it. */
export interface RunReport {
  readonly result: RunResult;
  /** The losses of the lesson of each row of the matrix; see {@link lossesOf}. */
  readonly losses?: readonly (readonly number[])[];
  readonly answers?: readonly DatasetAnswers[];
  /** Where tasks are answered in words: what their test questions were answered with. */
  readonly replies?: readonly DatasetReplies[];
}

/** The codec of `answers.json`. */
export const AnswersCodec: t.Type<readonly DatasetAnswers[], unknown> = list(
  t.type({
    dataset: t.string,
    classNames: list(t.string),
    ids: list(t.string),
    labels: list(natural),
    learned: list(nullable(natural)),
    last: list(nullable(natural)),
  }),
);

/** Why answers do not fit together, if they do not. */
const misfit = ({ dataset, classNames, ids, labels, learned, last }: DatasetAnswers): string | undefined => {
  const short = Object.entries({ labels, learned, last }).find(([, values]) => values.length !== ids.length);
  if (short !== undefined) return `${short[0]} of ${dataset} has ${short[1].length} values for ${ids.length} images`;
  const beyond = [...labels, ...learned, ...last].find((cls) => cls !== null && cls >= classNames.length);
  return beyond === undefined ? undefined : `${dataset} has a class ${beyond} where there are ${classNames.length}`;
};

/** Reads the text of an `answers.json`; `path` names the file in the `FileCorrupt` failure of one that is damaged. */
export const parseAnswers =
  (path: string) =>
  (text: string): E.Either<Failure, readonly DatasetAnswers[]> =>
    pipe(
      parseJson(text),
      E.chain((u) => pipe(AnswersCodec.decode(u), E.mapLeft(firstError))),
      E.chain((all) => {
        const wrong = all.map(misfit).find((detail) => detail !== undefined);
        return wrong === undefined ? E.right(all) : E.left(wrong);
      }),
      E.mapLeft((detail): Failure => ({ _tag: "FileCorrupt", path, detail })),
    );

/** Points that a curve of losses has at most. */
const points = 200;

/** Values thinned to so many at most, each the mean of as many values beside one another. */
const thinned = (values: readonly number[]): readonly number[] => {
  const count = Math.min(points, values.length);
  const start = (i: number): number => Math.floor((i * values.length) / count);
  return Array.from({ length: count }, (_, i) => meanOf(values.slice(start(i), start(i + 1)))!);
};

/** No stream has as many tasks; a damaged log may name one. */
const mostTasks = 100_000;

/**
 * The losses in the log of a run: for each row of the matrix those of the steps of its lesson, at most 200, as means of steps beside one another. Empty where
 * the log has no step of a lesson: of joint training only the last row has one.
 *
 * ```ts
 * const step = (task: number, loss: number) => ({ type: "step" as const, method: "m", seed: 0, task, dataset: "pets", step: 1, steps: 1, loss });
 * assert.deepEqual(report.lossesOf([step(2, 4), step(2, 3), step(3, 2)]), [[], [4, 3], [2]]);
 * ```
 */
export const lossesOf = (records: readonly LogRecord[]): readonly (readonly number[])[] => {
  const lessons: number[][] = [];
  for (const record of records) {
    if (record.type !== "step" || record.task > mostTasks) continue;
    while (lessons.length < record.task) lessons.push([]);
    lessons[record.task - 1]?.push(record.loss);
  }
  return lessons.map(thinned);
};
