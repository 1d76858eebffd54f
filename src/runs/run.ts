/** A whole run: a method over a stream, from the zero-shot row to the numbers that a report shows. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { Learner } from "../model/learner.ts";
import type { LogRecord } from "../report/log.ts";
import type { RunResult } from "../report/result.ts";
import { accuracies, type EvaluateOptions } from "../stages/evaluate.ts";
import { course, type Method } from "../stages/learn.ts";
import type { Evaluated, Report } from "../training/lesson.ts";
import type { OutputsFor } from "../training/objective.ts";
import type { Event, Runtime } from "../training/runtime.ts";
import { assemble } from "./assemble.ts";
import { logEvents } from "./log.ts";

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

/** A learner whose architecture gives what a method needs; any learner where either is not known while the program is written. */
export type Suited<N extends string> = string extends N ? Learner : Learner<OutputsFor<N>>;

/**
 * Measures the zero-shot row, runs the method, and computes every metric. A run that the runtime's signal stops keeps the tasks that were
 * finished; it fails with `Interrupted` where none was, and with what its stages fail with.
 */
export const runMethod =
  <N extends string>(method: Method<N>, start: NoInfer<Suited<N>>, stream: Stream, options: RunOptions = {}) =>
  (runtime: Runtime): TE.TaskEither<Failure, Run> =>
  async () => {
    const began = performance.now();
    const log = logEvents(method.name, runtime.seed, options.log ?? (() => undefined));
    const reports: Report[] = [];
    let reached: Learner = start;
    const emit = (event: Event): void => {
      runtime.emit(event);
      log(event);
      if (event.type !== "lesson") return;
      reports.push(event.report);
      reached = event.learner;
    };
    const watched: Runtime = { ...runtime, emit };
    const zeroShot = options.zeroShot === undefined ? await accuracies(start, stream, 0, options.evaluate)(watched)() : E.right(options.zeroShot);
    if (E.isLeft(zeroShot)) return zeroShot;
    const ended = await method.run(course(start, stream))(watched)();
    const interrupted = E.isLeft(ended);
    if (interrupted && (ended.left._tag !== "Interrupted" || reports.length === 0)) return ended;
    return pipe(
      assemble({
        method: method.name,
        options: { ...(method.options as object), ...options.facts },
        seed: runtime.seed,
        adapter: runtime.device.adapter.line,
        seconds: (performance.now() - began) / 1000,
        datasets: stream.tasks.map((task) => task.name),
        zeroShot: zeroShot.right,
        reports,
        lessons: interrupted ? undefined : ended.right.curriculum.length,
      }),
      E.map((result) => ({ result, learner: reached, interrupted })),
    );
  };
