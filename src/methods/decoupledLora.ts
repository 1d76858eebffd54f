/** The adapter of SD-LoRA (arXiv 2501.13198; METHODS.md H): directions and magnitudes apart. */
import { adapter, model, tensor, type formats } from "./vocabulary.ts";

const { layout, matmul, mul, reshape, slice, sub, unflatten } = tensor;

/** The direction B A that a task found in a layer, and the factor that it has in the weights now. */
export interface Direction extends model.LayerAdapter {
  readonly factor: number;
}

/** Directions of all past tasks, in order, by layer. */
export type PastDirections = ReadonlyMap<string, readonly Direction[]>;

/** Options of {@link decoupledLora}. */
export interface DecoupledLoraOptions extends Partial<model.LayerChoice> {
  /** Default 10. */
  readonly rank?: number;
  /** Where every magnitude starts, in every task. Default 0.8. */
  readonly magnitude?: number;
  /** Whether a task has one magnitude for all layers, as in the authors' code, or one in each. Default `shared`. */
  readonly magnitudes?: "shared" | "by-layer";
}

/** Groups that are trained, and those that hold the past. */
type Group = "A" | "B" | "alpha" | FactorGroup | adapter.FrozenGroup;
type FactorGroup = "spread" | "factors";

const frobenius = ({ data }: formats.HostTensor): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0));

/** 1 / (‖B‖ ‖A‖), or 0 for a direction that is zero. */
const unit = ({ A, B }: Direction): number => {
  const norm = frobenius(A) * frobenius(B);
  return norm > 0 ? 1 / norm : 0;
};

/** The factors that the directions of a layer have with given magnitudes: α_i / (‖B_i‖ ‖A_i‖). */
export const factorsOf = (directions: readonly Direction[], magnitudes: ArrayLike<number>): readonly number[] =>
  directions.map((direction, i) => magnitudes[i] * unit(direction));

/** The name of the magnitudes that all layers share. */
const sharedMagnitudes = "all layers";

/** The magnitudes of a layer's earlier directions, of which there are so many, and of its newest: its own, or the last of those that all layers share. */
export const magnitudesOf = (alpha: ReadonlyMap<string, formats.HostTensor>, layer: string, earlier: number): Float32Array => {
  const { data } = alpha.get(layer) ?? alpha.get(sharedMagnitudes)!;
  return data.subarray(data.length - earlier - 1);
};

/**
 * The factors of one layer: `factors` [1, ranks], which the weights hold of each rank, and `spread` [tasks, ranks], what one unit of a task's magnitude is
 * worth in each. The last task's direction is not normalised.
 */
const factorTensors = (directions: readonly Direction[], rank: number): Readonly<Record<FactorGroup, Float32Array>> => {
  const older = model.ranksOf(directions);
  const ranks = older + rank;
  const [spread, factors] = [new Float32Array((directions.length + 1) * ranks), new Float32Array(ranks)];
  directions.reduce((at, direction, i) => {
    const r = direction.A.shape[0];
    spread.fill(unit(direction), i * ranks + at, i * ranks + at + r);
    factors.fill(direction.factor, at, at + r);
    return at + r;
  }, 0);
  spread.fill(1, directions.length * ranks + older);
  return { spread, factors };
};

/** What directions with factors add to a weight. */
const factorsWith = (terms: readonly Direction[]): adapter.Factors => {
  const { A, B } = model.stacked(terms);
  const factors = terms.flatMap(({ A: { shape }, factor }) => Array.from({ length: shape[0] }, () => factor));
  return adapter.livingFactors(
    Float64Array.from(B.data, (x, i) => factors[i % factors.length] * x),
    A.data,
    factors.length,
  );
};

/** The layouts of the groups that are trained, and of factors. */
const layoutsOf = (
  newest: adapter.Adapter<"A" | "B">,
  layers: readonly model.Layer[],
  directions: (layer: string) => readonly Direction[],
  { rank, magnitudes }: Required<Pick<DecoupledLoraOptions, "rank" | "magnitudes">>,
  net: model.Network,
): Readonly<Record<Exclude<Group, adapter.FrozenGroup>, tensor.Layout>> => {
  const of = (shape: (layer: model.Layer, older: number) => readonly number[]): tensor.Layout =>
    layout(layers.map((layer) => [layer.name, shape(layer, model.ranksOf(directions(layer.name)))]));
  const tasks = ({ name }: model.Layer): number => directions(name).length + 1;
  return {
    ...newest.layouts(net),
    alpha: magnitudes === "shared" ? layout([[sharedMagnitudes, [Math.max(1, ...layers.map(tasks))]]]) : of((layer) => [tasks(layer)]),
    spread: of((layer, older) => [tasks(layer), older + rank]),
    factors: of((_, older) => [1, older + rank]),
  };
};

/**
 * ΔW = Σ_{i<t} α_i B_i A_i / (‖B_i‖ ‖A_i‖) + α_t B_t A_t. Earlier directions are frozen; A_t, B_t and all magnitudes α [t], which are those of all layers or of
 * each, are trained. The weights hold the earlier directions already, so that what is added to a layer's output is what the magnitudes change of them.
 */
export const decoupledLora = (
  past: PastDirections,
  { rank = 10, modules = ["q", "v"], towers = "all", magnitude = 0.8, magnitudes = "shared" }: DecoupledLoraOptions = {},
): adapter.Adapter<"A" | "B" | "alpha"> => {
  const newest = adapter.lora({ rank, modules, towers });
  const layersOf = (net: model.Network): readonly model.Layer[] => model.layersOf(net, { modules, towers });
  const directions = (layer: string): readonly Direction[] => past.get(layer) ?? [];
  const held = (net: model.Network): adapter.FrozenFactors => adapter.frozenFactors(layersOf(net), ({ name }) => directions(name));
  const ownLayouts = (net: model.Network) => layoutsOf(newest, layersOf(net), directions, { rank, magnitudes }, net);
  return {
    name: "decoupledLora",
    options: { rank, modules, towers, magnitude, magnitudes },
    layouts: (net) => ({ ...ownLayouts(net), ...held(net).layouts }),
    trained: ["A", "B", "alpha"],
    initial: (net, weights, seed, task) => {
      const { alpha, spread, factors } = ownLayouts(net);
      const tensors = new Map(layersOf(net).map(({ name }) => [name, factorTensors(directions(name), rank)]));
      return {
        ...newest.initial(net, weights, seed, task),
        alpha: new Float32Array(alpha.length).fill(magnitude),
        spread: tensor.flatten(spread, (name) => tensors.get(name)!.spread),
        factors: tensor.flatten(factors, (name) => tensors.get(name)!.factors),
        ...held(net).values(),
      };
    },
    scope: (net, base, groups) => {
      const { A, B, alpha, spread, factors, pastA, pastB } = groups as typeof groups & Readonly<Record<Group, typeof groups.A>>;
      const adapted = new Set(layersOf(net).map(({ name }) => name));
      return {
        ...base,
        linear: (name, x, ...updates) => {
          if (!adapted.has(name)) return base.linear(name, x, ...updates);
          const [all, older, tasks] = [alpha.get(name) ?? alpha.get(sharedMagnitudes)!, model.ranksOf(directions(name)), directions(name).length + 1];
          const own = slice(all, 0, all.shape[0] - tasks, tasks);
          const change = sub(matmul(reshape(own, [1, tasks]), spread.get(name)!), factors.get(name)!);
          const part = (start: number, length: number) => reshape(slice(change, 1, start, length), [length]);
          const latest = { p: mul(matmul(x, A.get(name)!, { tb: true }), part(older, rank)), q: B.get(name)! };
          if (older === 0) return base.linear(name, x, latest, ...updates);
          const earlier = { p: mul(matmul(x, pastA.get(name)!, { tb: true }), part(0, older)), q: pastB.get(name)! };
          return base.linear(name, x, latest, earlier, ...updates);
        },
      };
    },
    update: (net, values) => {
      const l = ownLayouts(net);
      const [A, B, alpha] = [unflatten(l.A, values.A), unflatten(l.B, values.B), unflatten(l.alpha, values.alpha)];
      const terms = ({ name }: model.Layer): readonly Direction[] => {
        const earlier = directions(name);
        const own = magnitudesOf(alpha, name, earlier.length);
        const factors = factorsOf(earlier, own);
        const changes = earlier.map((direction, i) => ({ ...direction, factor: factors[i] - direction.factor }));
        return [...changes, { A: A.get(name)!, B: B.get(name)!, factor: own[earlier.length] }];
      };
      return { factors: new Map(layersOf(net).map((layer) => [layer.name, factorsWith(terms(layer))])) };
    },
    ranks: (net) => new Map(layersOf(net).map(({ name }) => [name, model.ranksOf(directions(name)) + rank])),
  };
};
