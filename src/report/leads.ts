/** When a difference between two methods is more than that of their seeds. */
import type { Spread } from "./summary.ts";

/** Which end of a metric is the better one. */
export type Better = "high" | "low";

/**
 * Whether `a` is better than `b` by more than two standard deviations of their difference, `2 √(a.std² + b.std²)`. The deviation of one seed is not known,
 * so one seed leads nobody. Two of which neither leads cannot be told apart.
 *
 * ```ts
 * assert.ok(report.leads({ mean: 71, std: 3 }, { mean: 60, std: 4 }));
 * assert.ok(!report.leads({ mean: 69, std: 3 }, { mean: 60, std: 4 }));
 * assert.ok(!report.leads({ mean: 71, std: null }, { mean: 5, std: null }));
 * ```
 */
export const leads = (a: Spread, b: Spread, better: Better = "high"): boolean => {
  if (a.mean === null || b.mean === null || a.std === null || b.std === null) return false;
  const lead = better === "high" ? a.mean - b.mean : b.mean - a.mean;
  return lead > 2 * Math.hypot(a.std, b.std);
};

/** The one that leads all others that have a value, as {@link leads} says; `undefined` where there is none, and where there is nobody to lead. */
export const leader = <A>(all: readonly A[], value: (a: A) => Spread, better: Better = "high"): A | undefined => {
  const rivals = all.filter((a) => value(a).mean !== null);
  return rivals.length < 2 ? undefined : rivals.find((a) => rivals.every((b) => a === b || leads(value(a), value(b), better)));
};
