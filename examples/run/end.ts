/** How a command ends: silently with 0, or with one line on stderr and an exit code. */
import process from "node:process";
import * as E from "fp-ts/lib/Either.js";
import { describe, type Failure } from "../../src/failure.ts";

/** Sets the exit code: 0, 130 after a request to stop, or 1 with the failure as one line. */
export const end = (outcome: E.Either<Failure, { readonly interrupted: boolean }>): void => {
  if (E.isRight(outcome)) {
    process.exitCode = outcome.right.interrupted ? 130 : 0;
    return;
  }
  const stopped = outcome.left._tag === "Interrupted";
  const line = stopped ? "Stopped on request before a task was finished; nothing is written." : describe(outcome.left);
  process.stderr.write(`${line.replace(/\s*\n\s*/g, " ")}\n`);
  process.exitCode = stopped ? 130 : 1;
};
