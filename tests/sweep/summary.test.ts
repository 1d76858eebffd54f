/** The last lines of a sweep: what became of its jobs, who takes those that are left, and what is in its folder. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { JobEnd, SweepOutcome } from "../../src/sweep/runSweep.ts";
import { sweepSummary } from "../../src/sweep/summary.ts";

const outcome = (...states: readonly JobEnd["state"][]): SweepOutcome => ({
  folder: "/runs/x",
  jobs: states.map((state, i) => ({ name: `seed-${i}`, state })),
  compared: undefined,
  folders: states.filter((state) => state !== "open").length,
  interrupted: false,
});

test("jobs that are under way, and those that are left to resume or to workers", () => {
  const some = outcome("running", "running", "open");
  const counts = "2 of 3 jobs are running, 1 is yet to be run.";
  const written = "\n\nwritten to runs/x: folders of 2 of 3 jobs";
  assert.is(sweepSummary(some, "runs/x"), `${counts} cambium resume runs/x runs what has not ended.${written}`);
  assert.is(sweepSummary(some, "runs/x", 80, true), `${counts} cambium worker --redis URL takes the jobs that are left.${written}`);
});

test("a folder is said to hold what it holds", () => {
  assert.match(
    sweepSummary(outcome("open", "open"), "runs/x"),
    /^2 of 2 jobs are yet to be run\..*\n\nwritten to runs\/x: sweep\.json, and of no job anything yet$/,
  );
});

test.run();
