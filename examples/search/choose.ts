/** What follows from the results of a search: an order of the compositions, and a sentence. */
import { fixed } from "../../src/report/format.ts";
import { leads } from "../../src/report/leads.ts";
import type { Summary } from "../../src/report/summary.ts";

/** What a composition has to be better in, all at once. */
const metrics = ["transfer", "average", "last"] as const;
const titles = { transfer: "Transfer", average: "Average", last: "Last" } as const;

const value = (s: Summary, metric: (typeof metrics)[number]): number => s.metrics[metric].mean ?? Number.NEGATIVE_INFINITY;

/** By how many points an entry is ahead of the best of some others, on each metric; negative where it is behind. */
export const margins = (entry: Summary, others: readonly Summary[]): readonly number[] =>
  metrics.map((metric) => value(entry, metric) - Math.max(...others.map((other) => value(other, metric))));

/** Compositions, that which is ahead the most, on the metric where it is ahead the least, first. */
export const ranked = (entries: readonly Summary[], references: readonly Summary[]): readonly Summary[] => {
  const least = (entry: Summary): number => Math.min(...margins(entry, references));
  return [...entries].sort((a, b) => least(b) - least(a));
};

const listed = (words: readonly string[]): string => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`);

const pointsOf = (points: readonly number[]): string =>
  listed(metrics.map((metric, i) => `${points[i] < 0 ? "" : "+"}${fixed(1)(points[i])} on ${titles[metric]}`));

/** On which metrics an entry is ahead of all others by more than their seeds differ. */
const beyondSeeds = (entry: Summary, others: readonly Summary[]): string => {
  const sure = metrics.filter((metric) => others.every((other) => leads(entry.metrics[metric], other.metrics[metric])));
  return sure.length === 0 ? "on none of them" : sure.length === metrics.length ? "on all three" : `on ${listed(sure.map((metric) => titles[metric]))}`;
};

/**
 * The answer of a search, in a sentence. `finalists` come in the order of choosing: the first that beats all references is the one that is named, so that nothing
 * is chosen by what is reported. `searched` is how many there were to choose from.
 */
export const verdict = (finalists: readonly Summary[], references: readonly Summary[], searched: number): string => {
  const rivals = listed(references.map(({ label }) => label));
  const at = finalists.findIndex((entry) => margins(entry, references).every((points) => points > 0));
  if (at < 0) {
    const closest = ranked(finalists, references)[0];
    const chosen = finalists.length === 1 ? "The composition that was" : `None of the ${finalists.length} compositions that were`;
    const beats = finalists.length === 1 ? "does not beat" : "beats";
    return `${chosen} chosen among ${searched} ${beats} ${rivals} on Transfer, Average and Last at once; ${finalists.length === 1 ? "it is" : `${closest.label} comes closest, with`} ${pointsOf(margins(closest, references))} against the best of them.`;
  }
  const best = finalists[at];
  return (
    `${best.label}, number ${at + 1} of ${searched} by the tasks of choosing, beats ${rivals} on Transfer, Average and Last at once: ` +
    `${pointsOf(margins(best, references))} against the best of them, by more than two standard deviations of the difference ${beyondSeeds(best, references)}.`
  );
};
