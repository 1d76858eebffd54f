/**
 * What a person would say of some methods, from their results alone: what each gained on the stream, what is left of it at the end, and what is left of
 * what the model knew before. It names at most three methods, and claims no difference that the seeds do not show.
 */
import { legible } from "../failure.ts";
import { fixed } from "./format.ts";
import { leader, leads } from "./leads.ts";
import { meanOf } from "./metrics.ts";
import { isScore } from "./result.ts";
import { keptOf, seedsOf, spread, type ProbeSummary, type Spread, type Summary } from "./summary.ts";

/** The method that others are measured by: it does nothing against forgetting. */
const baseline = "sequential-lora";

const points = fixed(1);
const percent = (x: number): string => `${fixed(0)(x)} %`;
const isNothing = (x: number): boolean => points(Math.abs(x)) === points(0);

/** What a method gained over zero-shot by learning, and what it has of it at the end, both in points. */
interface Gain {
  readonly summary: Summary;
  readonly gained: number;
  readonly left: number;
}

const gainOf = (summary: Summary): readonly Gain[] => {
  const [before, learned, last] = [meanOf(summary.zeroShot), summary.metrics.learned.mean, summary.metrics.last.mean];
  return before === null || learned === null || last === null ? [] : [{ summary, gained: learned - before, left: last - before }];
};

/** The one that ends highest comes first. */
const byEnd = (a: Gain, b: Gain): number => (b.summary.metrics.last.mean ?? 0) - (a.summary.metrics.last.mean ?? 0);

/** The methods that are named: all of up to three, otherwise the one that ends highest and the baseline. The baseline comes last. */
const named = (gains: readonly Gain[]): readonly Gain[] => {
  const isBase = ({ summary }: Gain): boolean => summary.method === baseline;
  const [base, others] = [gains.filter(isBase), gains.filter((g) => !isBase(g))].map((some) => [...some].sort(byEnd));
  if (gains.length <= 3) return [...others, ...base];
  return [...others.slice(0, base.length === 0 ? 2 : 1), ...base.slice(0, others.length === 0 ? 2 : 1)];
};

const nameOf = ({ summary }: Gain): string => legible(summary.label);

/** What became of a gain: "keeps", "71 %" of the "7.2" points that were gained, and what happened beside. */
interface Fate {
  readonly verb: "gains" | "loses" | "keeps";
  readonly share: string;
  readonly whole?: string;
  readonly more?: string;
}

const fate = ({ summary, gained, left }: Gain): Fate => {
  if (gained < 0 || isNothing(gained)) {
    return { verb: "gains", share: "nothing", ...(left < 0 && !isNothing(left) ? { more: `ends ${points(-left)} points below zero-shot` } : {}) };
  }
  const whole = points(gained);
  if (left < 0 || isNothing(left)) return { verb: "loses", share: "all", whole, ...(isNothing(left) ? {} : { more: `${points(-left)} more` }) };
  if (left > gained) return { verb: "keeps", share: "all", whole, ...(isNothing(left - gained) ? {} : { more: `adds ${points(left - gained)}` }) };
  const kept = summary.metrics.gainKept.mean;
  // A mean of shares is none where one seed gained nothing; points always say it.
  return { verb: "keeps", share: kept === null || kept < 0 || kept > 100 ? points(left) : percent(kept), whole };
};

/** What a stream is scored by, as far as it is to be said. */
const countedBy = (labelSpace: string): string => {
  if (!isScore(labelSpace)) return labelSpace === "task" ? " with the task given" : "";
  return ` by ${{ exact: "exact match", own: "each task's own score" }[labelSpace] ?? legible(labelSpace)}`;
};

/** What became of the gains of some methods: "CoDyRA keeps 71 % of the 7.2 points it gained on this stream, sequential LoRA 5 % of 13.0". */
const gainsText = (gains: readonly Gain[]): string =>
  gains
    .map((gain, i) => {
      const { verb, share, whole, more } = fate(gain);
      const here = i === 0 ? ` on this stream${countedBy(gain.summary.labelSpace)}` : "";
      const of = whole === undefined ? "" : ` of the ${whole} points it gained`;
      const again = i > 0 && verb === "keeps" && more === undefined && fate(gains[i - 1]).verb === "keeps";
      if (again) return `${nameOf(gain)} ${share} of ${whole}`;
      return `${nameOf(gain)} ${verb} ${share}${of}${here}${more === undefined ? "" : ` and ${more}`}`;
    })
    .join(", ");

/** Whether the model tells a probe's classes apart before the stream: more than two standard errors above guessing. What was not there cannot be kept. */
const isKnown = ({ zeroShot, chance, images }: ProbeSummary): boolean => {
  const guessed = chance ?? 0;
  return zeroShot !== null && images > 0 && zeroShot > guessed + 2 * Math.sqrt((guessed * (100 - guessed)) / images);
};

/** What a model keeps of what it knew outside of the tasks, in percent of its accuracy before the stream: the mean over probes. */
const outside = ({ probes, runs }: Summary): Spread => {
  const known = new Set(probes.filter(isKnown).map(({ name }) => name));
  return spread(runs.map((run) => meanOf(run.probes.filter(({ name }) => known.has(name)).map(keptOf))));
};

const listed = (words: readonly string[]): string => (words.length < 2 ? words.join() : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

const outsideText = (gains: readonly Gain[]): string => {
  const kept = gains.flatMap(({ summary }) => outside(summary).mean ?? []);
  return kept.length < gains.length ? "" : `; outside of the tasks the model keeps ${listed(kept.map(percent))} of what it knew`;
};

/** The methods whose values the seeds do not tell apart: all of them, or the pairs; "" where there are none. */
const alike = (gains: readonly Gain[], value: (s: Summary) => Spread): string => {
  const pairs = gains.flatMap((a, i) => gains.slice(i + 1).map((b) => [a, b] as const));
  const same = pairs.filter(([a, b]) => {
    const [x, y] = [value(a.summary), value(b.summary)];
    return x.std !== null && y.std !== null && !leads(x, y) && !leads(y, x);
  });
  return same.length === pairs.length ? listed(gains.map(nameOf)) : same.map((pair) => listed(pair.map(nameOf))).join(", ");
};

/** What the seeds do not show, as sentences of their own. */
const doubts = (gains: readonly Gain[]): string => {
  if (gains.length < 2) return "";
  if (gains.some(({ summary }) => summary.runs.length < 2)) return " One seed does not say how much of this is luck.";
  const [ofGain, ofOutside] = [alike(gains, (s) => s.metrics.gainKept), alike(gains, outside)];
  return [
    ...(ofGain === "" ? [] : [` Alike in the share they keep: ${ofGain}.`]),
    ...(ofOutside === "" ? [] : [` Alike outside of the tasks: ${ofOutside}.`]),
  ].join("");
};

/** How many methods and seeds there are, where that is not plain. */
const opening = (summaries: readonly Summary[], gains: readonly Gain[]): string => {
  const first = leader(summaries, (s) => s.metrics.last);
  const many = summaries.length > gains.length;
  const seeds = seedsOf(gains.map(({ summary }) => summary));
  const lead = many && first !== undefined ? `${legible(first.label)} ends highest of ${summaries.length} methods. ` : "";
  const words = [...(many && lead === "" ? [`of ${summaries.length} methods`] : []), ...(seeds === "1" ? [] : [`over ${seeds} seeds`])].join(" ");
  return lead + (words === "" ? "" : `${words[0].toUpperCase()}${words.slice(1)}, `);
};

/** Whether a method gained something that is worth a digit. */
const isGain = ({ gained }: Gain): boolean => gained > 0 && !isNothing(gained);

/** What is said of many methods where none that would be named gained anything: how many did not, and where the one that ends highest ends. */
const gainless = (all: readonly Gain[], [best]: readonly Gain[]): string => {
  const without = all.filter((gain) => !isGain(gain)).length;
  const gain = without === all.length ? `None of ${all.length} methods gains anything` : `${without} of ${all.length} methods gain nothing`;
  const by = isNothing(best.left) ? "as high as zero-shot" : `${points(Math.abs(best.left))} points ${best.left < 0 ? "below" : "above"} zero-shot`;
  const seeds = seedsOf(all.map(({ summary }) => summary));
  const over = seeds === "1" ? "" : `, over ${seeds} seeds`;
  return `${gain} on this stream${countedBy(best.summary.labelSpace)}; the highest at the end is ${nameOf(best)}, ${by}${over}.`;
};

/** The sentence below a comparison, of methods that learned one stream task by task in one label space; "" where none was measured. */
export const sentence = (summaries: readonly Summary[]): string => {
  const all = summaries.flatMap(gainOf);
  const gains = named(all);
  if (gains.length < all.length && !gains.some(isGain)) return gainless(all, [...all].sort(byEnd));
  return gains.length === 0 ? "" : `${opening(summaries, gains)}${gainsText(gains)}${outsideText(gains)}.${doubts(gains)}`;
};
