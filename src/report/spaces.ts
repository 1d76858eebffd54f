/** An entry in other label spaces, and what guessing reaches in its own. */
import { runResult } from "./result.ts";
import type { RunResult } from "./result.ts";
import { spread, summaryOf } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** A run as it is scored in another label space, with every metric computed there; nothing where it was not. Probes have their own classes and stay. */
const resultIn =
  (space: string) =>
  (r: RunResult): readonly RunResult[] => {
    if (!Object.hasOwn(r.also, space)) return [];
    const { zeroShot, matrix, chance } = r.also[space];
    return [runResult({ ...r, labelSpace: space, zeroShot, chance, matrix: { datasets: r.datasets, rows: matrix }, also: {} })];
  };

/** An entry as it is scored in another label space; `undefined` where one of its runs was not scored there. */
export const inSpace = (s: Summary, space: string): Summary | undefined => {
  const runs = s.runs.flatMap(resultIn(space));
  return runs.length < s.runs.length || runs.length === 0 ? undefined : summaryOf(`${s.label}, ${space}`, runs);
};

/** An entry, and below it the same in every other label space in which its runs were scored. */
export const inEverySpace = (s: Summary): readonly Summary[] => [s, ...Object.keys(s.runs[0]?.also ?? {}).flatMap((space) => inSpace(s, space) ?? [])];

/**
 * What guessing at random reaches where an entry stands: a row to compare with, of no runs; `elsewhere` where the space is not the run's own. Chance is
 * that of the end: among the classes seen so far it is another before.
 */
export const guessing = (s: Summary, elsewhere = false): Summary => {
  const { labelSpace, datasets, classes, images, chance } = s;
  const still = { method: "chance", options: {}, seed: 0, adapter: "", trainableParameters: 0, bytesKept: 0, ranks: [], seconds: 0 };
  const reached = runResult({
    ...{ ...still, labelSpace, classes, images, chance, zeroShot: chance },
    matrix: { datasets, rows: datasets.map((_, i) => (labelSpace === "seen" && i < datasets.length - 1 ? datasets.map(() => null) : chance)) },
    probes: s.probes.map((probe) => ({ ...probe, zeroShot: probe.chance, after: datasets.map(() => probe.chance) })),
  });
  return { ...summaryOf(elsewhere ? `chance, ${labelSpace}` : "chance", [reached]), runs: [], seconds: spread([]) };
};
