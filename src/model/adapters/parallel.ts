/** Adapters side by side. */
import type { Layout } from "../../tensor/layout.ts";
import type { Network } from "../network.ts";
import type { Adapter, GroupViews } from "./adapter.ts";
import { bothUpdates, noUpdate } from "./update.ts";

/** Adapters by name. */
export type AdapterBranches = Readonly<Record<string, Adapter<any, any>>>;

/** The groups of parallel adapters: `orthogonal.A`, say. */
export type BranchGroups<P extends AdapterBranches> = {
  [K in keyof P & string]: P[K] extends Adapter<infer G, any> ? `${K}.${G}` : never;
}[keyof P & string];

/** Those of them that are trained. */
export type TrainedBranchGroups<P extends AdapterBranches> = {
  [K in keyof P & string]: P[K] extends Adapter<any, infer T> ? `${K}.${T}` : never;
}[keyof P & string];

/**
 * Adapters side by side: every module adds the updates of all of them (DualLoRA's two branches, METHODS.md D.2). The groups of each carry its
 * name before theirs; ranks add up.
 *
 * ```ts
 * const both = parallel({ wide: adapter.lora({ rank: 8 }), thin: adapter.lora({ rank: 2 }) });
 * assert.deepEqual(both.trained, ["wide.A", "wide.B", "thin.A", "thin.B"]);
 * ```
 */
export const parallel = <P extends AdapterBranches>(branches: P): Adapter<BranchGroups<P>, TrainedBranchGroups<P> & BranchGroups<P>> => {
  const all = Object.entries(branches);
  /** The part of a record that belongs to a branch, under the branch's own names. */
  const of = <V>(branch: string, groups: Readonly<Record<string, V>>): Readonly<Record<string, V>> =>
    Object.fromEntries(Object.entries(groups).flatMap(([name, v]) => (name.startsWith(`${branch}.`) ? [[name.slice(branch.length + 1), v]] : [])));
  /** A record of all branches under the names of the whole. */
  const whole = <V>(part: (adapter: Adapter<any, any>, branch: string) => Readonly<Record<string, V>>): any =>
    Object.fromEntries(all.flatMap(([branch, adapter]) => Object.entries(part(adapter, branch)).map(([name, v]) => [`${branch}.${name}`, v])));
  return {
    name: "parallel",
    options: Object.fromEntries(all.map(([branch, { name, options }]) => [branch, { [name]: options }])),
    layouts: (net: Network) => whole<Layout>((adapter) => adapter.layouts(net)),
    trained: all.flatMap(([branch, { trained }]) => trained.map((group) => `${branch}.${group}`)) as any,
    initial: (net, weights, seed, task) => whole((adapter) => adapter.initial(net, weights, seed, task)),
    scope: (net, base, groups, forward) =>
      all.reduce((scope, [branch, adapter]) => adapter.scope(net, scope, of(branch, groups) as GroupViews<any>, forward), base),
    update: (net, values) => all.map(([branch, adapter]) => adapter.update(net, of(branch, values))).reduce(bothUpdates, noUpdate),
    ranks: (net, values) =>
      all.reduce((sums, [branch, adapter]) => {
        for (const [module, rank] of adapter.ranks(net, of(branch, values))) sums.set(module, (sums.get(module) ?? 0) + rank);
        return sums;
      }, new Map<string, number>()),
    ...(all.some(([, { fullRank }]) => fullRank) ? { fullRank: true } : {}),
  };
};
