/** An entry in other label spaces, and what it is compared with in its own: guessing, and the model before its stream. */
import { matrixElsewhere, runResult } from "./result.ts";
import type { AccuracyRow } from "./metrics.ts";
import type { ProbeResult, RunResult } from "./result.ts";
import { spread, summaryOf } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** A run as it is scored in another label space, with every metric computed there; nothing where it was not. Probes have their own classes and stay. */
const resultIn =
  (space: string) =>
  (r: RunResult): readonly RunResult[] => {
    if (!Object.hasOwn(r.also, space)) return [];
    const { zeroShot, matrix, chance } = r.also[space];
    return [runResult({ ...r, labelSpace: space, zeroShot, chance, matrix: matrixElsewhere(space, { datasets: r.datasets, rows: matrix }), also: {} })];
  };

/** An entry as it is scored in another label space; `undefined` where one of its runs was not scored there. */
export const inSpace = (s: Summary, space: string): Summary | undefined => {
  const runs = s.runs.flatMap(resultIn(space));
  return runs.length < s.runs.length || runs.length === 0 ? undefined : summaryOf(`${s.label}, ${space}`, runs);
};

/** An entry, and below it the same in every other label space in which its runs were scored. */
export const inEverySpace = (s: Summary): readonly Summary[] => [s, ...Object.keys(s.runs[0]?.also ?? {}).flatMap((space) => inSpace(s, space) ?? [])];

/** An entry of no runs: a row to compare with, whose metrics are computed as those of a run that scores `rows` after each task. */
const standing = (
  name: string,
  { labelSpace, datasets, classes, images, chance }: Summary,
  { elsewhere, zeroShot, rows, probes }: { elsewhere: boolean; zeroShot: AccuracyRow; rows: readonly AccuracyRow[]; probes: readonly ProbeResult[] },
): Summary => {
  const still = { method: name, options: {}, seed: 0, adapter: "", trainableParameters: 0, bytesKept: 0, ranks: [], seconds: 0 };
  const matrix = elsewhere ? matrixElsewhere(labelSpace, { datasets, rows }) : { datasets, rows };
  const reached = runResult({ ...still, labelSpace, classes, images, chance, zeroShot, probes, matrix });
  return { ...summaryOf(elsewhere ? `${name}, ${labelSpace}` : name, [reached]), runs: [], seconds: spread([]) };
};

/**
 * What guessing at random reaches where an entry stands; `elsewhere` where the space is not the run's own. Chance is that of the end: among the classes seen
 * so far it is another before.
 */
export const guessing = (s: Summary, elsewhere = false): Summary => {
  const { labelSpace, datasets, chance } = s;
  return standing("chance", s, {
    ...{ elsewhere, zeroShot: chance },
    rows: datasets.map((_, i) => (labelSpace === "seen" && i < datasets.length - 1 ? datasets.map(() => null) : chance)),
    probes: s.probes.map((probe) => ({ ...probe, zeroShot: probe.chance, after: datasets.map(() => probe.chance) })),
  });
};

/** What the model reached before an entry's stream: the row of zero-shot, where no run of it stands beside. */
export const untrained = (s: Summary, elsewhere = false): Summary =>
  standing("zero-shot", s, {
    ...{ elsewhere, zeroShot: s.zeroShot },
    rows: s.datasets.map(() => s.zeroShot),
    probes: s.probes.map((probe) => ({ ...probe, after: s.datasets.map(() => probe.zeroShot) })),
  });
