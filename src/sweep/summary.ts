/** What a sweep leaves, as the last lines of a command. */
import { comparedTable } from "../runs/compare.ts";
import { sweepFile } from "../runs/runsIn.ts";
import { tables } from "./gather.ts";
import type { JobEnd, SweepOutcome } from "./runSweep.ts";

const words: Readonly<Record<JobEnd["state"], readonly [string, string]>> = {
  ended: ["has ended", "have ended"],
  failed: ["has failed", "have failed"],
  running: ["is running", "are running"],
  open: ["is yet to be run", "are yet to be run"],
};

/** How many jobs are where, as a sentence. */
const counts = (jobs: readonly JobEnd[]): string =>
  Object.entries(words)
    .map(([state, [one, many]]) => ({ n: jobs.filter((job) => job.state === state).length, one, many }))
    .filter(({ n }) => n > 0)
    .map(({ n, one, many }, i) => `${n}${i === 0 ? ` of ${jobs.length} jobs` : ""} ${n === 1 ? one : many}`)
    .join(", ");

/** What lies in the folder of a sweep. */
const written = ({ jobs, compared, folders }: SweepOutcome): readonly string[] => [
  ...(compared === undefined ? [] : Object.values(tables)),
  ...(folders === 0 ? [] : [folders === jobs.length ? "a folder for each job" : `folders of ${folders} of ${jobs.length} jobs`]),
  ...(compared === undefined && folders === 0 ? [`${sweepFile}, and of no job anything yet`] : []),
];

/**
 * The last lines of a sweep: its table, what became of its jobs, and its files in what its user calls `out`; tables have at most `columns` characters. Workers
 * take what is left where it is `detached`.
 */
export const sweepSummary = (outcome: SweepOutcome, out: string, columns?: number, detached = false): string => {
  const { jobs, compared, interrupted } = outcome;
  const failed = jobs.filter(({ state }) => state === "failed");
  const open = jobs.some(({ state }) => state === "open");
  const goesOn = detached ? "cambium worker --redis URL takes the jobs that are left." : `cambium resume ${out} runs what has not ended.`;
  return [
    ...(compared === undefined ? [] : ["", comparedTable(compared, "text", columns), ""]),
    ...(interrupted ? ["Stopped on request."] : []),
    `${counts(jobs)}.${failed.length > 0 || open ? ` ${goesOn}` : ""}`,
    ...failed.map(({ name, detail }) => `  ${name}: ${detail}`),
    "",
    `written to ${out}: ${written(outcome).join(", ")}`,
  ].join("\n");
};
