/** The adapter of SD-LoRA (arXiv 2501.13198; METHODS.md H): directions and magnitudes apart. */
import { adapter, model, tensor, type formats } from "./vocabulary.ts";

const { layout, matmul, mul, reshape, slice, sub, unflatten } = tensor;

/** The direction B A that a task found in a layer, and the factor that it has in the weights now. */
export interface Direction {
  readonly A: formats.HostTensor;
  readonly B: formats.HostTensor;
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
type Group = "A" | "B" | "alpha" | PastGroup;
type PastGroup = "pastA" | "pastB" | "spread" | "factors";

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

const ranksOf = (directions: readonly Direction[]): number => directions.reduce((n, { A }) => n + A.shape[0], 0);

/**
 * The past of one layer as tensors: all A, all B, `factors` [1, ranks], which the weights hold of each rank, and `spread` [tasks, ranks], what one unit of a
 * task's magnitude is worth in each. The last task's direction is not normalised.
 */
const pastTensors = (directions: readonly Direction[], rank: number, out: number): Readonly<Record<PastGroup, Float32Array>> => {
  const older = ranksOf(directions);
  const ranks = older + rank;
  const [spread, factors, pastB] = [new Float32Array((directions.length + 1) * ranks), new Float32Array(ranks), new Float32Array(out * older)];
  directions.reduce((at, direction, i) => {
    const r = direction.A.shape[0];
    spread.fill(unit(direction), i * ranks + at, i * ranks + at + r);
    factors.fill(direction.factor, at, at + r);
    direction.B.data.forEach((x, j) => (pastB[Math.floor(j / r) * older + at + (j % r)] = x));
    return at + r;
  }, 0);
  spread.fill(1, directions.length * ranks + older);
  return { spread, factors, pastA: Float32Array.from(directions.flatMap(({ A }) => [...A.data])), pastB };
};

/** What directions with factors add to a weight. */
const factorsWith = (terms: readonly Direction[], out: number): adapter.Factors => {
  const rank = ranksOf(terms);
  const B = new Float64Array(out * rank);
  terms.reduce((at, { A, B: own, factor }) => {
    const r = A.shape[0];
    own.data.forEach((x, j) => (B[Math.floor(j / r) * rank + at + (j % r)] = factor * x));
    return at + r;
  }, 0);
  return adapter.livingFactors(B, Float32Array.from(terms.flatMap(({ A }) => [...A.data])), rank);
};

/** The layouts of all groups; those of past A and B are there where any task was learned before. */
const layoutsOf = (
  newest: adapter.Adapter<"A" | "B">,
  layers: readonly model.Layer[],
  directions: (layer: string) => readonly Direction[],
  { rank, magnitudes }: Required<Pick<DecoupledLoraOptions, "rank" | "magnitudes">>,
  net: model.Network,
): Readonly<Record<Group, tensor.Layout>> => {
  const of = (shape: (layer: model.Layer, older: number) => readonly number[]): tensor.Layout =>
    layout(layers.map((layer) => [layer.name, shape(layer, ranksOf(directions(layer.name)))]));
  const tasks = ({ name }: model.Layer): number => directions(name).length + 1;
  const past = layers.some((layer) => directions(layer.name).length > 0);
  return {
    ...newest.layouts(net),
    alpha: magnitudes === "shared" ? layout([[sharedMagnitudes, [Math.max(1, ...layers.map(tasks))]]]) : of((layer) => [tasks(layer)]),
    spread: of((layer, older) => [tasks(layer), older + rank]),
    factors: of((_, older) => [1, older + rank]),
    ...(past ? { pastA: of((layer, older) => [older, layer.in]), pastB: of((layer, older) => [layer.out, older]) } : {}),
  } as Readonly<Record<Group, tensor.Layout>>;
};

/**
 * ΔW = Σ_{i<t} α_i B_i A_i / (‖B_i‖ ‖A_i‖) + α_t B_t A_t. Earlier directions are frozen; A_t, B_t and all magnitudes α [t], which are those of all layers or of
 * each, are trained. The weights hold the
 * earlier directions already, so that what is added to a layer's output is what the magnitudes change of them.
 */
export const decoupledLora = (
  past: PastDirections,
  { rank = 10, modules = ["q", "v"], towers = "all", magnitude = 0.8, magnitudes = "shared" }: DecoupledLoraOptions = {},
): adapter.Adapter<"A" | "B" | "alpha"> => {
  const newest = adapter.lora({ rank, modules, towers });
  const layersOf = (net: model.Network): readonly model.Layer[] => model.layersOf(net, { modules, towers });
  const directions = (layer: string): readonly Direction[] => past.get(layer) ?? [];
  const layouts = (net: model.Network) => layoutsOf(newest, layersOf(net), directions, { rank, magnitudes }, net);
  return {
    name: "decoupledLora",
    options: { rank, modules, towers, magnitude, magnitudes },
    layouts,
    trained: ["A", "B", "alpha"],
    initial: (net, weights, seed, task) => {
      const { A: _, B: __, alpha, ...frozen } = layouts(net);
      const tensors = new Map(layersOf(net).map(({ name, out }) => [name, pastTensors(directions(name), rank, out)]));
      const constants = Object.entries(frozen).map(([group, l]) => [group, tensor.flatten(l, (name) => tensors.get(name)![group as PastGroup])] as const);
      return { ...newest.initial(net, weights, seed, task), ...Object.fromEntries(constants), alpha: new Float32Array(alpha.length).fill(magnitude) };
    },
    scope: (net, base, groups) => {
      const { A, B, alpha, spread, factors, pastA, pastB } = groups as typeof groups & Readonly<Record<Group, typeof groups.A>>;
      const adapted = new Set(layersOf(net).map(({ name }) => name));
      return {
        ...base,
        linear: (name, x, ...updates) => {
          if (!adapted.has(name)) return base.linear(name, x, ...updates);
          const [all, older, tasks] = [alpha.get(name) ?? alpha.get(sharedMagnitudes)!, ranksOf(directions(name)), directions(name).length + 1];
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
      const l = layouts(net);
      const [A, B, alpha] = [unflatten(l.A, values.A), unflatten(l.B, values.B), unflatten(l.alpha, values.alpha)];
      const terms = ({ name }: model.Layer): readonly Direction[] => {
        const earlier = directions(name);
        const own = magnitudesOf(alpha, name, earlier.length);
        const factors = factorsOf(earlier, own);
        const changes = earlier.map((direction, i) => ({ ...direction, factor: factors[i] - direction.factor }));
        return [...changes, { A: A.get(name)!, B: B.get(name)!, factor: own[earlier.length] }];
      };
      return { factors: new Map(layersOf(net).map((layer) => [layer.name, factorsWith(terms(layer), layer.out)])) };
    },
    ranks: (net) => new Map(layersOf(net).map(({ name }) => [name, ranksOf(directions(name)) + rank])),
  };
};
