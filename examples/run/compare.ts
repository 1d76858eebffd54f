/** Several methods on one stream, each from the same learner; the zero-shot row is measured once. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import type { Learner } from "../../src/model/learner.ts";
import type { RunResult } from "../../src/report/result.ts";
import type { EvaluateOptions } from "../../src/stages/evaluate.ts";
import type { Method } from "../../src/stages/learn.ts";
import type { Evaluated } from "../../src/training/lesson.ts";
import { runMethod } from "../../src/runs/run.ts";
import type { Runtime } from "../../src/training/runtime.ts";
import type { Stream } from "../../src/data/task.ts";

/** What a result knows of the model before the stream. */
const untrained = ({ zeroShot, also }: RunResult): Evaluated => ({
  row: zeroShot,
  ...(Object.keys(also).length > 0 ? { also: Object.fromEntries(Object.entries(also).map(([space, { zeroShot: row }]) => [space, row])) } : {}),
});

/** Runs the methods one after the other; `begin` is told which. Fails with `Interrupted` where a run was stopped, whatever was finished. */
export const compare =
  (methods: readonly Method[], start: Learner, stream: Stream, evaluate: EvaluateOptions, begin: (method: Method) => void) =>
  (runtime: Runtime): TE.TaskEither<Failure, readonly RunResult[]> =>
  async () => {
    const results: RunResult[] = [];
    for (const method of methods) {
      begin(method);
      const run = await runMethod(method, start, stream, { evaluate, from: { zeroShot: results[0] === undefined ? undefined : untrained(results[0]) } })(
        runtime,
      )();
      if (E.isLeft(run)) return run;
      if (run.right.interrupted) return E.left({ _tag: "Interrupted" });
      results.push(run.right.result);
    }
    return E.right(results);
  };
