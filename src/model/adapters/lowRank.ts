/**
 * What all low-rank adapters share: y = x Wᵀ + b + c · ((x Aᵀ) ⊙ g) Bᵀ, A [r, in], B [out, r], with optional gates g [r], router, counters, and a start of B
 * that is not zero.
 */
import type { HostTensor } from "../../formats/hostTensor.ts";
import { random, type Random } from "../../random.ts";
import { layout, type Layout } from "../../tensor/layout.ts";
import { mul, sub } from "../../tensor/ops/elementwise.ts";
import { matmul } from "../../tensor/ops/matmul.ts";
import { layersOf, type Layer, type LayerChoice, type Network } from "../network.ts";
import type { Scope } from "../scope.ts";
import type { Adapter, Forward, GroupValues, GroupViews } from "./adapter.ts";
import { scaleOf, type Scale } from "./scale.ts";
import { livingFactors, type Factors } from "./update.ts";

/** The directions of one layer: A [at most r, in], and where B [out, r] starts, at 0 where that is not given. */
export interface LayerDirections {
  readonly A: HostTensor;
  readonly B?: HostTensor;
}

/** Directions that were chosen beforehand, by layer. */
export type Directions = ReadonlyMap<string, LayerDirections>;

/** How gates start. */
export interface GateInit {
  readonly name: string;
  readonly draw: (uniform: { readonly normal: () => number }) => number;
}

/** The groups that a low-rank adapter may have. `B0` is where B started, `counts` how often each component was voted for. */
export type LowRankGroup = "A" | "B" | "gate" | "router" | "counts" | "B0";

/** Options of all low-rank adapters, complete. */
export interface LowRankOptions extends LayerChoice {
  readonly rank: number;
  readonly scale: Scale;
}

/** What makes one low-rank adapter differ from another. */
export interface LowRankForm {
  readonly name: string;
  readonly groups: readonly LowRankGroup[];
  readonly trained: readonly LowRankGroup[];
  readonly directions?: Directions;
  readonly gate?: GateInit;
}

type Layouts = Readonly<Record<LowRankGroup, Layout>>;
type Values = GroupValues<LowRankGroup>;

const layoutsOf = (layers: readonly Layer[], rank: number, groups: readonly LowRankGroup[]): Layouts => {
  const shapes: Readonly<Record<LowRankGroup, () => readonly (readonly [string, readonly number[]])[]>> = {
    A: () => layers.map((l) => [l.name, [rank, l.in]]),
    B: () => layers.map((l) => [l.name, [l.out, rank]]),
    B0: () => layers.map((l) => [l.name, [l.out, rank]]),
    gate: () => layers.map((l) => [l.name, [rank]]),
    router: () =>
      layers.flatMap(
        (l) =>
          [
            [`${l.name}.weight`, [rank, l.in]],
            [`${l.name}.bias`, [rank]],
          ] as const,
      ),
    counts: () => layers.map((l) => [l.name, [rank]]),
  };
  return Object.fromEntries(groups.map((group) => [group, layout(shapes[group]())])) as Layouts;
};

/** Fills a flat group entry by entry; a layer may have several. */
const filled = (
  layers: readonly Layer[],
  whole: Layout,
  entriesALayer: number,
  draw: (layer: Layer, entry: number) => (at: number) => number,
): Float32Array => {
  const flat = new Float32Array(whole.length);
  whole.entries.forEach(({ offset, shape }, entry) => {
    const next = draw(layers[Math.floor(entry / entriesALayer)], entry);
    for (let j = 0, n = shape.reduce((a, b) => a * b, 1); j < n; j++) flat[offset + j] = next(j);
  });
  return flat;
};

/** U(−1/√in, 1/√in): Kaiming-uniform with a = √5, what torch gives to linear layers. */
const kaiming = ({ in: width }: Layer, draw: Random): (() => number) => {
  const bound = width ** -0.5;
  return () => bound * (2 * draw.uniform() - 1);
};

/** B at the start: zero, or the given one; columns beyond those given are zero. */
const initialB = (layers: readonly Layer[], whole: Layout, rank: number, directions: Directions | undefined): Float32Array =>
  filled(layers, whole, 1, ({ name }) => {
    const start = directions?.get(name)?.B;
    if (start === undefined) return () => 0;
    const columns = start.shape[1];
    return (j) => (j % rank < columns ? start.data[Math.floor(j / rank) * columns + (j % rank)] : 0);
  });

const initialValues = (layers: readonly Layer[], layouts: Layouts, rank: number, form: LowRankForm, seed: number, task: number): Values => {
  const { directions, gate } = form;
  const values: Readonly<Record<LowRankGroup, () => Float32Array>> = {
    A: () =>
      filled(layers, layouts.A, 1, (layer, i) => {
        if (directions === undefined) return kaiming(layer, random(seed, "lora A", task, i));
        const chosen = directions.get(layer.name)?.A.data;
        return (j) => chosen?.[j] ?? 0;
      }),
    B: () => initialB(layers, layouts.B, rank, directions),
    B0: () => initialB(layers, layouts.B0, rank, directions),
    gate: () =>
      filled(layers, layouts.gate, 1, (_, i) => {
        const draw = random(seed, "gates", task, i);
        return () => gate!.draw(draw);
      }),
    router: () => filled(layers, layouts.router, 2, (layer, i) => kaiming(layer, random(seed, "router", task, i))),
    counts: () => new Float32Array(layouts.counts.length),
  };
  return Object.fromEntries(form.groups.map((group) => [group, values[group]()])) as Values;
};

/** The scope with the update beside every adapted layer. */
const adaptedScope = (
  layers: readonly Layer[],
  scale: (layer: Layer) => number,
  base: Scope,
  { A, B, gate, B0 }: GroupViews<LowRankGroup>,
  { input, gates }: Forward,
): Scope => {
  const adapted = new Map(layers.map((layer) => [layer.name, layer]));
  return {
    ...base,
    linear: (name, x, ...updates) => {
      const layer = adapted.get(name);
      if (layer === undefined) return base.linear(name, x, ...updates);
      const entering = input?.(layer, x) ?? x;
      const down = matmul(entering, A.get(name)!, { tb: true, scale: scale(layer) });
      const factors = [gate?.get(name), gates?.(layer, entering)].filter((f) => f !== undefined);
      const q = B0 === undefined ? B.get(name)! : sub(B.get(name)!, B0.get(name)!);
      return base.linear(name, x, { p: factors.reduce(mul, down), q }, ...updates);
    },
  };
};

/** What one layer's update adds to its weight; `i` is the layer's place in the layouts. */
const factorsOf = ({ in: columns, out: rows }: Layer, i: number, layouts: Layouts, { A, B, gate, B0 }: Values, scale: number): Factors => {
  const rank = layouts.A.entries[i].shape[0];
  const [a, b] = [layouts.A.entries[i].offset, layouts.B.entries[i].offset];
  const folded = Float64Array.from(
    { length: rows * rank },
    (_, j) => scale * (B[b + j] - (B0?.[b + j] ?? 0)) * (gate?.[layouts.gate.entries[i].offset + (j % rank)] ?? 1),
  );
  return livingFactors(folded, A.slice(a, a + rank * columns), rank);
};

/** How many components of a layer live: by their gates, where they have one, or else by their columns of B. */
const livingRank = ({ out }: Layer, i: number, layouts: Layouts, { B, gate, B0 }: Values): number => {
  const [rank] = layouts.A.entries[i].shape;
  const lives = (r: number): boolean => {
    if (gate !== undefined) return gate[layouts.gate.entries[i].offset + r] !== 0;
    const { offset } = layouts.B.entries[i];
    for (let at = offset + r; at < offset + out * rank; at += rank) if (B[at] !== (B0?.[at] ?? 0)) return true;
    return false;
  };
  return Array.from({ length: rank }, (_, r) => r).filter(lives).length;
};

/** A low-rank adapter of the given form. */
export const lowRank = (options: LowRankOptions, form: LowRankForm): Adapter<LowRankGroup> => {
  const { rank, scale } = options;
  const layersIn = (net: Network): readonly Layer[] => layersOf(net, options);
  const layouts = (net: Network): Layouts => layoutsOf(layersIn(net), rank, form.groups);
  return {
    name: form.name,
    options: {
      ...options,
      ...(typeof scale === "number" ? {} : { scale: { [scale.name]: scale.options } }),
      ...(form.gate === undefined ? {} : { gate: form.gate.name }),
      ...(form.directions === undefined ? {} : { A: "frozen" }),
    },
    layouts,
    trained: form.trained,
    initial: (net, _, seed, task) => initialValues(layersIn(net), layouts(net), rank, form, seed, task),
    scope: (net, base, views, forward = {}) => adaptedScope(layersIn(net), (layer) => scaleOf(scale, layer, net), base, views, forward),
    update: (net, values) => {
      const whole = layouts(net);
      return { factors: new Map(layersIn(net).map((layer, i) => [layer.name, factorsOf(layer, i, whole, values, scaleOf(scale, layer, net))])) };
    },
    ranks: (net, values) => {
      const whole = layouts(net);
      return new Map(layersIn(net).map((layer, i) => [layer.name, livingRank(layer, i, whole, values)]));
    },
  };
};
