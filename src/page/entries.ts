/** What a page shows: runs grouped to methods, each with its look and its place on the page. */
import type { RunResult } from "../report/result.ts";
import type { RunReport } from "../report/runReport.ts";
import { groupBy, isJoint, isStill, summarise, type Summary } from "../report/summary.ts";
import { groundLook, methodLook, referenceLook, type Look } from "./chart.ts";

/** A run as a page takes it: its result, or all that is known of it. */
export type Shown = RunResult | RunReport;

/** A method on a page: its seeds as one summary, and each seed as it was given, in the order of `summary.runs`. */
export interface Entry {
  readonly summary: Summary;
  readonly reports: readonly RunReport[];
  readonly look: Look;
  /** What links lead to. */
  readonly id: string;
}

export { isJoint, isStill };

/** A run as a report; of a bare result it holds nothing else. */
export const reportOf = (run: Shown): RunReport => ("result" in run ? run : { result: run });

/** One entry for each method, options and stream, as {@link summarise} groups them. */
export const entriesOf = (runs: readonly Shown[]): readonly Entry[] => {
  const reports = runs.map(reportOf);
  const byResult = new Map(reports.map((report) => [report.result, report]));
  const summaries = summarise(reports.map(({ result }) => result));
  const competing = summaries.filter((s) => !isStill(s) && !isJoint(s));
  return summaries.map((summary, index) => ({
    summary,
    reports: summary.runs.map((result) => byResult.get(result) ?? { result }),
    look: isStill(summary) ? groundLook : isJoint(summary) ? referenceLook : methodLook(competing.indexOf(summary)),
    id: `method-${index + 1}`,
  }));
};

/** Entries that ran on the same datasets, in the order in which their streams first appear. */
export const byStream: (entries: readonly Entry[]) => readonly (readonly Entry[])[] = groupBy(({ summary }) => JSON.stringify(summary.datasets));
