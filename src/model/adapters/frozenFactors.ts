/** The factors of earlier tasks as groups of an adapter, which stand beside those that are trained and never change. */
import { flatten, layout, type Layout } from "../../tensor/layout.ts";
import { ranksOf, stacked, type LayerAdapter } from "../bank.ts";
import type { Layer } from "../network.ts";

/** The groups of {@link frozenFactors}. */
export type FrozenGroup = "pastA" | "pastB";

/** What {@link frozenFactors} gives: layouts, and the values that go with them. */
export interface FrozenFactors {
  readonly layouts: Partial<Readonly<Record<FrozenGroup, Layout>>>;
  readonly values: () => Partial<Readonly<Record<FrozenGroup, Float32Array>>>;
}

/**
 * All A of a layer below one another, `pastA` [ranks, in], and all B beside one another, `pastB` [out, ranks]. A layer that has none is in neither group, and
 * where no layer has any there are no groups.
 *
 * ```ts
 * assert.deepEqual(adapter.frozenFactors([], () => []).layouts, {});
 * ```
 */
export const frozenFactors = (layers: readonly Layer[], factorsOf: (layer: Layer) => readonly LayerAdapter[]): FrozenFactors => {
  const having = layers.map((layer) => ({ ...layer, factors: factorsOf(layer) })).filter(({ factors }) => ranksOf(factors) > 0);
  if (having.length === 0) return { layouts: {}, values: () => ({}) };
  const pastA = layout(having.map(({ name, factors, in: width }) => [name, [ranksOf(factors), width]]));
  const pastB = layout(having.map(({ name, factors, out }) => [name, [out, ranksOf(factors)]]));
  return {
    layouts: { pastA, pastB },
    values: () => {
      const all = new Map(having.map(({ name, factors }) => [name, stacked(factors)] as const));
      return { pastA: flatten(pastA, (name) => all.get(name)!.A.data), pastB: flatten(pastB, (name) => all.get(name)!.B.data) };
    },
  };
};
