/** Several methods on one stream, each from the same learner; what the untrained model scores is measured once. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Stream } from "../../src/data/task.ts";
import type { Failure } from "../../src/failure.ts";
import type { Learner } from "../../src/model/learner.ts";
import type { LogRecord } from "../../src/report/log.ts";
import { lossesOf, type RunReport } from "../../src/report/runReport.ts";
import { runMethod } from "../../src/runs/run.ts";
import type { EvaluateOptions } from "../../src/stages/evaluate.ts";
import type { Method } from "../../src/stages/learn.ts";
import type { Evaluated } from "../../src/training/lesson.ts";
import type { Runtime } from "../../src/training/runtime.ts";

/** Options of {@link compare}. */
export interface CompareOptions {
  /** How the zero-shot row is measured; give the methods the same. */
  readonly evaluate?: EvaluateOptions;
  /** Default: that of the runtime. */
  readonly seeds?: readonly number[];
  /** Told which run begins. */
  readonly begin?: (method: string, seed: number) => void;
}

/**
 * Runs all methods with the first seed, then those that train with the others. Fails with `Interrupted` where a run was stopped, whatever was finished.
 */
export const compare =
  (methods: readonly Method[], start: Learner, stream: Stream, { evaluate, seeds, begin }: CompareOptions = {}) =>
  (runtime: Runtime): TE.TaskEither<Failure, readonly RunReport[]> =>
  async () => {
    const reports: RunReport[] = [];
    const untrained = new Set<Method>();
    let zeroShot: Evaluated | undefined;
    for (const seed of seeds ?? [runtime.seed]) {
      for (const method of methods) {
        if (untrained.has(method)) continue;
        begin?.(method.name, seed);
        const records: LogRecord[] = [];
        const log = (record: LogRecord): unknown => records.push(record);
        const run = await runMethod(method, start, stream, { evaluate, from: { zeroShot }, log })({ ...runtime, seed })();
        if (E.isLeft(run)) return run;
        const { result, answers, replies, progress, interrupted } = run.right;
        if (interrupted) return E.left({ _tag: "Interrupted" });
        zeroShot = progress.zeroShot;
        if (result.trainableParameters === 0) untrained.add(method);
        reports.push({ result, answers, replies, losses: lossesOf(records) });
      }
    }
    return E.right(reports);
  };
