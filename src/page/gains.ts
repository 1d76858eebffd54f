/** What every method learned, and what of it is left at the end: a bar each, on the tasks and outside of them. */
import { escapeHtml, fixed } from "../report/format.ts";
import { meanOf } from "../report/metrics.ts";
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

/** A probe is known before the stream, and can only be lost. */
const onProbe = (entries: readonly Entry[], name: string): Bars => {
  const probes = entries.flatMap((entry) => entry.summary.probes.filter((probe) => probe.name === name).map((probe) => ({ entry, probe })));
  return {
    title: `Outside of them: ${name}`,
    note: "at the end, of what was known, %",
    zeroShot: probes[0].probe.zeroShot,
    bars: probes.flatMap(({ entry, probe: { zeroShot, last } }) =>
      isStill(entry.summary) || last.mean === null ? [] : [{ entry, once: zeroShot, last: last.mean }],
    ),
  };
};

const width = (share: number): string => `${(100 * share).toFixed(1)}%`;

const draw = ({ title, note, zeroShot, bars }: Bars): string => {
  const [, high] = fromZero([zeroShot, ...bars.flatMap(({ once, last }) => [once, last])]);
  const line = zeroShot === null ? "" : `<s style="left:${width(zeroShot / high)}"></s>`;
  const rows = bars.map(({ entry: { summary, look }, once, last }) => {
    const lost =
      once !== null && percent(once - last) !== percent(0) && once > last
        ? `<u style="left:${width(last / high)};width:${width((once - last) / high)}"></u>`
        : "";
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
  const names = [...new Set(entries.flatMap(({ summary }) => summary.probes.map(({ name }) => name)))];
  const figures = [tasks, ...names.map((name) => onProbe(entries, name)).filter(({ bars }) => bars.length > 0)];
  return `<div class="gains">${figures.map(draw).join("\n")}</div>
<div class="key"><span><i class="sampled" aria-hidden="true"></i>at the end</span><span><i class="sampled lost" aria-hidden="true"></i>lost on the way</span>
<span><svg viewBox="0 0 36 12" aria-hidden="true" class="sample base"><path class="line" d="M18 0V12" stroke-dasharray="2 2.5"/></svg>zero-shot</span></div>`;
};
