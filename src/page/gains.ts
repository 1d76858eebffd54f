/** What every method learned, and what of it is left at the end: a bar each, on the tasks and outside of them. */
import { escapeHtml, fixed } from "../report/format.ts";
import { meanOf } from "../report/metrics.ts";
import { probeNames, type ProbeSummary } from "../report/summary.ts";
import { sample } from "./chart.ts";
import { isStill, type Entry } from "./entries.ts";
import { fromZero } from "./palette.ts";

/** One bar: what there once was (null where that is not known, as for joint training), and what there is at the end; in percent. */
interface Bar {
  readonly entry: Entry;
  readonly once: number | null;
  readonly last: number;
}

/** Bars on one scale, with the accuracy that they are compared with. */
interface Bars {
  readonly title: string;
  readonly note: string;
  readonly zeroShot: number | null;
  readonly bars: readonly Bar[];
}

const percent = fixed(1);

const onTasks = (entries: readonly Entry[]): Bars => ({
  title: "On the tasks",
  note: "at the end, of what was learned, %",
  zeroShot: meanOf(entries[0].summary.zeroShot),
  bars: entries.flatMap((entry) => {
    const { learned, last } = entry.summary.metrics;
    return isStill(entry.summary) || last.mean === null ? [] : [{ entry, once: learned.mean, last: last.mean }];
  }),
});

/** Probes are known before the stream, and can only be lost; of several the mean. */
const outside = (entries: readonly Entry[], names: readonly string[]): Bars => {
  const known = (entry: Entry): readonly ProbeSummary[] => names.flatMap((name) => entry.summary.probes.filter((probe) => probe.name === name));
  const once = (entry: Entry): number | null => meanOf(known(entry).map(({ zeroShot }) => zeroShot));
  return {
    title: `Outside of them: ${names.join(", ")}`,
    note: `${names.length > 1 ? "mean " : ""}at the end, of what was known, %`,
    zeroShot: entries.map(once).find((x) => x !== null) ?? null,
    bars: entries.flatMap((entry) => {
      const last = meanOf(known(entry).map((probe) => probe.last.mean));
      return isStill(entry.summary) || last === null ? [] : [{ entry, once: once(entry), last }];
    }),
  };
};

/** Whether a bar has lost what can be seen. */
const hasLost = ({ once, last }: Bar): boolean => once !== null && once > last && percent(once - last) !== percent(0);

const width = (share: number): string => `${(100 * share).toFixed(1)}%`;

const draw = ({ title, note, zeroShot, bars }: Bars): string => {
  const [, high] = fromZero([zeroShot, ...bars.flatMap(({ once, last }) => [once, last])]);
  const line = zeroShot === null ? "" : `<s style="left:${width(zeroShot / high)}"></s>`;
  const rows = bars.map((bar) => {
    const { entry, once, last } = bar;
    const { summary, look } = entry;
    const lost = once !== null && hasLost(bar) ? `<u style="left:${width(last / high)};width:${width((once - last) / high)}"></u>` : "";
    const told = `${percent(last)}${once === null ? "" : ` <small>of ${percent(once)}</small>`}`;
    return `<div class="bar ${look.className}"><span>${sample(look)}${escapeHtml(summary.label)}</span>
<span class="track" aria-hidden="true"><i style="width:${width(last / high)}"></i>${lost}${line}</span><span class="told">${told}</span></div>`;
  });
  return `<figure><h4>${escapeHtml(title)} <span>${note}</span></h4>
${rows.join("\n")}</figure>`;
};

/** The bars of methods that ran on the same datasets; an empty string where nothing was learned. */
export const gains = (entries: readonly Entry[]): string => {
  const tasks = onTasks(entries);
  if (tasks.bars.every(({ once }) => once === null)) return "";
  const names = probeNames(entries.map(({ summary }) => summary));
  const figures = [tasks, ...(names.length > 0 ? [outside(entries, names)] : [])].filter(({ bars }) => bars.length > 0);
  const lost = figures.some(({ bars }) => bars.some(hasLost)) ? `<span><i class="sampled lost" aria-hidden="true"></i>lost on the way</span>` : "";
  const dotted = `<svg viewBox="0 0 36 12" aria-hidden="true" class="sample base"><path class="line" d="M18 0V12" stroke-dasharray="2 2.5"/></svg>`;
  return `<div class="gains">${figures.map(draw).join("\n")}</div>
<div class="key"><span><i class="sampled" aria-hidden="true"></i>at the end</span>${lost}<span>${dotted}zero-shot</span></div>`;
};
