/** Several methods on one stream, each from the same learner; the zero-shot row is measured once. */
import * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import type { RunResult } from "../../src/report/result.ts";
import type { Method } from "../../src/stages/learn.ts";
import type { Learner } from "../../src/stages/learner.ts";
import { runMethod } from "../../src/stages/run.ts";
import type { Runtime } from "../../src/stages/runtime.ts";
import type { Stream } from "../../src/stream/task.ts";

/** Runs the methods one after the other; `begin` is told which. Fails with `Interrupted` where a run was stopped, whatever was finished. */
export const compare = (
  methods: readonly Method[], start: Learner, stream: Stream, begin: (method: Method) => void,
) => (runtime: Runtime): TE.TaskEither<Failure, readonly RunResult[]> => async () => {
  const results: RunResult[] = [];
  for (const method of methods) {
    begin(method);
    const run = await runMethod(method, start, stream, { zeroShot: results[0]?.zeroShot })(runtime)();
    if (E.isLeft(run)) return run;
    if (run.right.interrupted) return E.left({ _tag: "Interrupted" });
    results.push(run.right.result);
  }
  return E.right(results);
};
