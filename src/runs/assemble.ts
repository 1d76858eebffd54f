/** The result of a run, from the reports of its lessons. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { namesOf } from "../data/classNames.ts";
import { labelSpace } from "../data/labelSpace.ts";
import { classNamesOf, isAnswered, isAnswerStream, type ClassTask, type LabelSpace, type Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import { constantMatrix, finalOnlyMatrix, matrixFromRows, prefixMatrix, type AccuracyMatrix, type AccuracyRow } from "../report/metrics.ts";
import { runResult, type ProbeResult, type RunResult } from "../report/result.ts";
import type { Evaluated, Report } from "../training/lesson.ts";

/** What was reached, and how. */
export interface Reached {
  readonly method: string;
  readonly title: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly adapter: string;
  readonly seconds: number;
  readonly stream: Stream;
  /** That of the rows, where images are scored. */
  readonly labelSpace: LabelSpace;
  /** Whether the model knows classes by their names, and not by what a head has learned alone. */
  readonly readsTexts: boolean;
  readonly zeroShot: Evaluated;
  readonly reports: readonly Report[];
  /** Lessons that there were to be; undefined where the run was stopped on the way. */
  readonly lessons: number | undefined;
}

const namesIn = ({ stream }: Reached): readonly string[] => stream.tasks.map(({ name }) => name);

/** The matrix of what was reported: a row a task; that of a model that never learns; the last row alone where one lesson held all tasks. */
const matrixOf = (datasets: readonly string[], zeroShot: AccuracyRow, lessons: number, rows: readonly AccuracyRow[]): E.Either<Failure, AccuracyMatrix> => {
  if (lessons === 0) return constantMatrix(datasets, zeroShot);
  if (lessons !== datasets.length) return finalOnlyMatrix(datasets, rows[rows.length - 1]);
  return matrixFromRows(datasets, rows);
};

/** The matrix of one label space: that of the finished tasks, where a run was stopped. */
const matrixIn = (reached: Reached, rowOf: (e: Evaluated) => AccuracyRow): E.Either<Failure, AccuracyMatrix> => {
  const { zeroShot, reports, lessons } = reached;
  const datasets = namesIn(reached);
  return pipe(
    matrixOf(datasets, rowOf(zeroShot), lessons ?? datasets.length, reports.map(rowOf)),
    E.map((whole) => (lessons === undefined ? prefixMatrix(reports.length)(whole) : whole)),
  );
};

/** What a row is called in which each task has its own score. */
const ownScores = "own";

/** What the rows are in: a label space, or a score. */
const spaceOf = ({ stream, labelSpace: space }: Reached): string => {
  if (!isAnswerStream(stream)) return space;
  const [first, ...others] = new Set(stream.tasks.map(({ score }) => score));
  return others.length === 0 ? (first ?? ownScores) : ownScores;
};

/** The other rows that were measured, by their names: of other label spaces, and of scores that some task does not have as its own. */
const othersOf = ({ stream, zeroShot }: Reached): readonly (readonly [string, (e: Evaluated) => AccuracyRow])[] => {
  const none = stream.tasks.map(() => null);
  if (!isAnswerStream(stream)) return Object.keys(zeroShot.also ?? {}).map((space) => [space, ({ also }) => also?.[space as LabelSpace] ?? none]);
  return Object.keys(zeroShot.scores ?? {})
    .filter((name) => stream.tasks.some(({ score }) => score !== name))
    .map((name) => [name, ({ scores }) => scores?.[name] ?? none]);
};

/** Percent of right guesses among the names of some tasks. */
export const guessing = (tasks: readonly ClassTask[]): number => 100 / Math.max(1, namesOf(tasks));

/** Percent of right guesses at the end, for each dataset of a matrix, in a label space or by a score. */
const chanceIn = ({ stream, readsTexts, lessons, reports, zeroShot }: Reached, space: string, { datasets }: AccuracyMatrix): AccuracyRow => {
  if (isAnswerStream(stream)) {
    const { chance }: Evaluated = reports.at(-1) ?? zeroShot;
    return datasets.map((_, j) => (space === "choice" || (space === ownScores && stream.tasks[j].score === "choice") ? (chance?.[j] ?? null) : null));
  }
  const learned = lessons === undefined ? reports.length : lessons === 0 ? 0 : stream.tasks.length;
  // A head alone has no other classes than those of tasks that were learned.
  const among = space === "union" && !readsTexts ? "seen" : (space as LabelSpace);
  return datasets.map((_, j) => guessing(labelSpace(stream, j, learned, among).tasks));
};

/** What was measured of a probe after each row of the matrix. */
const afterEach = ({ zeroShot, reports, lessons, stream }: Reached, of: (e: Evaluated) => number | null): readonly (number | null)[] => {
  if (lessons === undefined || lessons === stream.tasks.length) return reports.map(of);
  return stream.tasks.map((_, i) => (lessons === 0 ? of(zeroShot) : i === stream.tasks.length - 1 ? of(reports[reports.length - 1]) : null));
};

const probesOf = (reached: Reached): readonly ProbeResult[] => {
  const { stream, zeroShot, reports } = reached;
  return (stream.probes ?? []).map((probe, k) => {
    const accuracy = ({ probes }: Evaluated): number | null => probes?.[k]?.accuracy ?? null;
    const perplexity = ({ probes }: Evaluated): number | null => probes?.[k]?.perplexity ?? null;
    const { probes: newest }: Evaluated = reports.at(-1) ?? zeroShot;
    return {
      name: probe.name,
      classes: classNamesOf(probe).length,
      images: newest?.[k]?.images ?? 0,
      chance: isAnswered(probe) ? (newest?.[k]?.chance ?? null) : guessing([probe]),
      ...(isAnswered(probe) ? { perplexity: { zeroShot: perplexity(zeroShot), after: afterEach(reached, perplexity) } } : {}),
      zeroShot: accuracy(zeroShot),
      after: afterEach(reached, accuracy),
    };
  });
};

/** How many images, or questions, of each dataset were scored; none where that is not known. */
const imagesOf = ({ reports, zeroShot }: Reached, { datasets }: AccuracyMatrix): readonly number[] => {
  const { answers, replies }: Evaluated = reports.at(-1) ?? zeroShot;
  if (replies !== undefined) return datasets.map((_, j) => replies[j]?.length ?? 0);
  return answers === undefined ? [] : datasets.map((_, j) => answers[j]?.ids.length ?? 0);
};

const ranksOf = (report: Report): Readonly<Record<string, number>> => Object.fromEntries(report.trained?.ranks ?? []);

/** The result with all its matrices and metrics. */
export const assemble = (reached: Reached): E.Either<Failure, RunResult> => {
  const { method, title, options, seed, adapter, seconds, stream, zeroShot, reports } = reached;
  return pipe(
    E.Do,
    E.bind("matrix", () => matrixIn(reached, ({ row }) => row)),
    E.bind("others", () =>
      pipe(
        othersOf(reached),
        E.traverseArray(([space, rowOf]) =>
          pipe(
            matrixIn(reached, rowOf),
            E.map(
              (matrix) => [space, { zeroShot: rowOf(zeroShot).slice(0, matrix.datasets.length), matrix, chance: chanceIn(reached, space, matrix) }] as const,
            ),
          ),
        ),
      ),
    ),
    E.map(({ matrix, others }) => {
      // Where one lesson held all tasks its ranks stand beside the last row.
      const rowsWithout = reports.length > 0 ? matrix.rows.length - reports.length : 0;
      const { datasets } = matrix;
      return runResult({
        method,
        ...(title === undefined ? {} : { title }),
        options,
        seed,
        adapter,
        labelSpace: spaceOf(reached),
        classes: isAnswerStream(stream) ? [] : datasets.map((_, j) => stream.tasks[j].classNames.length),
        images: imagesOf(reached, matrix),
        chance: chanceIn(reached, spaceOf(reached), matrix),
        zeroShot: zeroShot.row.slice(0, datasets.length),
        also: Object.fromEntries(others),
        matrix,
        probes: probesOf(reached),
        bytesKept: reports.at(-1)?.bytesKept ?? 0,
        examplesKept: reports.at(-1)?.examplesKept,
        trainableParameters: Math.max(0, ...reports.map((r) => r.trained?.trainableParameters ?? 0)),
        ranks: [...Array.from({ length: rowsWithout }, () => ({})), ...reports.map(ranksOf)],
        seconds,
      });
    }),
  );
};
