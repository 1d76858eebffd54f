/** What a page says of one method: what it trained, its matrices, its seeds, its ranks. */
import { count, escapeHtml } from "../report/format.ts";
import { sample } from "./chart.ts";
import { isStill, type Entry } from "./entries.ts";
import { unique } from "./markup.ts";
import type { MatrixScale } from "./matrixTable.ts";
import { optionLine } from "./options.ts";
import { rankPart } from "./rankTable.ts";
import { matrices, singleRuns } from "./seeds.ts";

const trained = ({ summary: s }: Entry): string => {
  if (isStill(s)) return "Nothing is trained.";
  return `${count(s.trainableParameters)} trainable parameters a task.`;
};

const seedsOf = ({ summary: { runs } }: Entry): string => {
  const seeds = unique(runs.map(({ seed }) => seed));
  return `Seed${seeds.length > 1 ? "s" : ""} ${seeds.join(", ")}.${runs.length > 1 ? ` The matrix is the mean of ${runs.length} runs.` : ""}`;
};

/** The section of a method. */
export const methodPart = (entry: Entry, scale: MatrixScale, largestRank: number): string => {
  const { summary, look, id } = entry;
  return `<section id="${id}"><h3>${sample(look)}${escapeHtml(summary.label)}</h3>
<p>${trained(entry)} ${seedsOf(entry)}</p>
${matrices(summary, scale, summary.label)}
${singleRuns(summary, scale)}
${rankPart(summary, largestRank)}
${optionLine(summary.runs[0].options)}
</section>`;
};
