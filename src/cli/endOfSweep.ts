/** What a sweep leaves in a terminal. */
import { legible } from "../failure.ts";
import { comparedData } from "../runs/compare.ts";
import type { SweepOutcome } from "../sweep/runSweep.ts";
import { sweepSummary } from "../sweep/summary.ts";
import type { Ended } from "./command.ts";

/** The table of a sweep, and what became of its jobs; `out` is its folder as its user calls it. */
export const endOfSweep =
  (out: string, detached = false) =>
  (outcome: SweepOutcome): Ended => {
    const { folder, jobs, compared, interrupted } = outcome;
    return {
      text: (columns) => sweepSummary(outcome, legible(out), columns, detached),
      json: { folder, jobs, interrupted, compared: compared === undefined ? null : comparedData(compared) },
      kept: true,
      interrupted,
      failed: jobs.some(({ state }) => state === "failed"),
    };
  };
