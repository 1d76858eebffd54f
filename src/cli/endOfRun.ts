/** What a run leaves in a terminal. */
import { legible } from "../failure.ts";
import { summary, type Outcome } from "../runs/outcome.ts";
import type { Ended } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** What is said of a run that was stopped before it had an outcome. */
export const whenStopped = "Stopped on request, in the middle of a task.";

/** The table of a run and where its files are; `out` is its folder as its user calls it. */
export const endOfRun =
  (out: string, { note }: Pick<Terminal, "note">) =>
  (outcome: Outcome): Ended => {
    const { skipped, interrupted, folder, model, tasks, result, sessions } = outcome;
    if (skipped > 0) note(`skipped ${skipped} samples that cannot be read`);
    return {
      text: (columns) => summary(outcome, legible(out), columns),
      json: { folder, model, tasks, interrupted, skipped, result, classIncremental: sessions },
      kept: true,
      interrupted,
    };
  };
