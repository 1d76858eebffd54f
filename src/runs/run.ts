/** A whole run: a method over a stream, from the zero-shot row to the numbers that a report shows. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { LogRecord } from "../report/log.ts";
import { constantMatrix, finalOnlyMatrix, matrixFromRows, meanOf, prefixMatrix, type AccuracyMatrix, type AccuracyRow } from "../report/metrics.ts";
import { runResult, type RunResult } from "../report/result.ts";
import type { LabelSpace, Stream } from "../data/task.ts";
import { accuracies, type EvaluateOptions } from "../stages/evaluate.ts";
import { course, type Method } from "../stages/learn.ts";
import type { Learner } from "../model/learner.ts";
import type { Evaluated, Report } from "../training/lesson.ts";
import type { Event, Runtime } from "../training/runtime.ts";

/** Options of {@link runMethod}. */
export interface RunOptions {
  /** How the zero-shot row is measured; give the method's own stages the same. */
  readonly evaluate?: EvaluateOptions;
  /** The zero-shot rows, percent, where they are known already. Default: they are measured first. */
  readonly zeroShot?: Evaluated;
  /** Facts beside the method's options that belong into the result's `options`, such as the model and the shots. */
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Called with every record of the run's log, as it comes. */
  readonly log?: (record: LogRecord) => void;
}

/** What a run gave. */
export interface Run {
  readonly result: RunResult;
  /** The learner after its last finished task. */
  readonly learner: Learner;
  /** Whether the run was stopped on the way: its result is then that of the finished tasks, on their own datasets. */
  readonly interrupted: boolean;
}

const entriesOf = (report: Report): Readonly<Record<string, number>> => Object.fromEntries(report.trained?.ranks ?? []);

/**
 * Turns the events of a run into the records of its log. In them `task` counts finished tasks: a step of the second task, and what is
 * measured after it, have 2, zero-shot has 0; the one lesson of joint training holds all tasks and has their number.
 */
export const logEvents = (method: string, seed: number, stream: Stream, write: (record: LogRecord) => void): ((event: Event) => void) => {
  const names = stream.tasks.map((t) => t.name);
  let [task, dataset, began] = [0, "", 0];
  return (event) => {
    const head = { method, seed, task };
    switch (event.type) {
      case "task":
        [task, dataset, began] = [event.task === names[event.position] ? event.position + 1 : names.length, event.task, performance.now()];
        return;
      case "step":
        return write({ type: "step", ...head, dataset, step: event.step + 1, steps: event.steps, loss: event.losses.loss });
      case "evaluation":
        return write({ type: "eval", ...head, dataset: event.dataset, accuracy: event.accuracy, images: event.total });
      case "lesson": {
        const effectiveRank = meanOf(Object.values(entriesOf(event.report)));
        return write({
          type: "task",
          ...head,
          dataset,
          effectiveRank,
          mergeError: event.report.mergeError ?? null,
          seconds: (performance.now() - began) / 1000,
        });
      }
    }
  };
};

/** The matrix of what was reported: a row a task; that of a model that never learns; the last row alone where one lesson held all tasks. */
const matrixOf = (datasets: readonly string[], zeroShot: AccuracyRow, lessons: number, rows: readonly AccuracyRow[]): E.Either<Failure, AccuracyMatrix> => {
  if (lessons === 0) return constantMatrix(datasets, zeroShot);
  if (lessons !== datasets.length) return finalOnlyMatrix(datasets, rows[rows.length - 1]);
  return matrixFromRows(datasets, rows);
};

/**
 * Measures the zero-shot row, runs the method, and computes every metric. A run that the runtime's signal stops keeps the tasks that were
 * finished; it fails with `Interrupted` where none was, and with what its stages fail with.
 */
export const runMethod =
  (method: Method, start: Learner, stream: Stream, options: RunOptions = {}) =>
  (runtime: Runtime): TE.TaskEither<Failure, Run> =>
  async () => {
    const began = performance.now();
    const log = logEvents(method.name, runtime.seed, stream, options.log ?? (() => undefined));
    const reports: Report[] = [];
    let reached = start;
    const emit = (event: Event): void => {
      runtime.emit(event);
      log(event);
      if (event.type !== "lesson") return;
      reports.push(event.report);
      reached = event.learner;
    };
    const datasets = stream.tasks.map((t) => t.name);
    const zeroShot: E.Either<Failure, Evaluated> =
      options.zeroShot === undefined ? await accuracies(start, stream, 0, options.evaluate)({ ...runtime, emit })() : E.right(options.zeroShot);
    if (E.isLeft(zeroShot)) return zeroShot;
    const ended = await method.run(course(start, stream))({ ...runtime, emit })();
    const interrupted = E.isLeft(ended);
    if (interrupted && (ended.left._tag !== "Interrupted" || reports.length === 0)) return ended;
    /** The matrix of one label space. */
    const matrixIn = (rowOf: (e: Evaluated) => AccuracyRow): E.Either<Failure, AccuracyMatrix> =>
      pipe(
        matrixOf(datasets, rowOf(zeroShot.right), interrupted ? datasets.length : ended.right.curriculum.length, reports.map(rowOf)),
        E.map((whole) => (interrupted ? prefixMatrix(reports.length)(whole) : whole)),
      );
    const main = matrixIn(({ row }) => row);
    if (E.isLeft(main)) return main;
    const matrix = main.right;
    const spaces = Object.keys(zeroShot.right.also ?? {}) as LabelSpace[];
    const others = pipe(
      spaces,
      E.traverseArray((space) =>
        pipe(
          matrixIn(({ also }) => also?.[space] ?? datasets.map(() => null)),
          E.map((m) => [space, { zeroShot: zeroShot.right.also![space]!.slice(0, m.datasets.length), matrix: m }] as const),
        ),
      ),
    );
    if (E.isLeft(others)) return others;
    // Where one lesson held all tasks its ranks stand beside the last row.
    const ranks = [...Array.from({ length: reports.length > 0 ? matrix.rows.length - reports.length : 0 }, () => ({})), ...reports.map(entriesOf)];
    return E.right({
      result: runResult({
        method: method.name,
        options: { ...(method.options as object), ...options.facts },
        seed: runtime.seed,
        adapter: runtime.device.adapter.line,
        zeroShot: zeroShot.right.row.slice(0, matrix.datasets.length),
        also: Object.fromEntries(others.right),
        matrix,
        bytesKept: reports.at(-1)?.bytesKept ?? 0,
        trainableParameters: Math.max(0, ...reports.map((r) => r.trained?.trainableParameters ?? 0)),
        ranks,
        seconds: (performance.now() - began) / 1000,
      }),
      learner: reached,
      interrupted,
    });
  };
