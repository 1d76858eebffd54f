/** Which rank-1 components of trained adapters are kept: merged into the weights, or remembered. */
import type { GroupValues } from "../model/adapters/adapter.ts";
import type { Layout } from "../tensor/layout.ts";
import { entry, keepColumns, largest } from "./components.ts";

/** Which components of the adapters go into the weights; `N` names the groups that the choice needs. */
export interface Selection<N extends string> {
  readonly name: string;
  readonly apply: <V extends GroupValues<N>>(layouts: Readonly<Record<N, Layout>>, values: V) => V;
}

/** Everything. */
export const all: Selection<never> = { name: "all", apply: (_, values) => values };
/** The components whose gate is not zero (CoDyRA, METHODS.md A.4). */
export const selected: Selection<"B" | "gate"> = {
  name: "selected",
  apply: (layouts, values) => keepColumns(layouts.B, values, (layer, r) => values.gate[layouts.gate.entries[layer].offset + r] !== 0),
};

/**
 * One branch of parallel adapters (DualLoRA merges its orthogonal branch alone, METHODS.md D.3): the B of every other branch is taken back to its start.
 */
export const branch = <K extends string>(name: K): Selection<`${K}.B`> => ({
  name: `branch(${name})`,
  apply: (_, values) => {
    const all: Readonly<Record<string, Float32Array>> = values;
    const other = (group: string): boolean => group.endsWith(".B") && group !== `${name}.B`;
    return Object.fromEntries(Object.entries(all).map(([g, v]) => [g, other(g) ? (all[`${g}0`] ?? new Float32Array(v.length)) : v])) as typeof values;
  },
});

/** The `count` components of every layer with the most votes, the lowest index first among equals (DAC, METHODS.md C.5). */
export const mostUsed = (count: number): Selection<"B" | "counts"> => ({
  name: `mostUsed(${count})`,
  apply: (layouts, values) => {
    const used = layouts.counts.entries.map((_, layer) => largest(entry(layouts.counts, values.counts, layer), count));
    return keepColumns(layouts.B, values, (layer, r) => used[layer].has(r));
  },
});
