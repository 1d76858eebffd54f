/** The memory of MoRAM (arXiv 2506.21035; METHODS.md H.2): rank-1 slots that weigh themselves by how their keys meet an input. */
import { adapter, model, tensor } from "./vocabulary.ts";

const { add, affine, atLeast, matmul, mul, normalize, pad, scale, softmax, topMask } = tensor;
type Tensor = tensor.Tensor;

/** How slots are weighed. */
export interface SelfActivation {
  /** Slots that take part, at least 2: those with the largest scores. */
  readonly active: number;
  /** Of the softmax over the scores of these, τ. */
  readonly temperature: number;
  /** Slots whose score is smaller have no part. Default: all have. */
  readonly threshold?: number;
}

/**
 * The weights of slots from z = x Aᵀ [.., slots], the products of an input with their keys: their scores are s = z / ‖z‖, and w the softmax of s / τ over the
 * `active` largest; those with s below the threshold are 0.
 */
export const selfActivation = (z: Tensor, { active, temperature, threshold = 0 }: SelfActivation): Tensor => {
  const slots = z.shape[z.shape.length - 1];
  const scores = normalize(z);
  const taking = Math.max(active, 2);
  const logits = scale(scores, 1 / temperature);
  // Logits are 2 / τ apart at most: what is so much lower has a weight that is 0 in f32, and f16 holds the number.
  const lower = 2 / temperature + 200;
  const weights = softmax(taking < slots ? add(logits, affine(topMask(scores, taking), lower, -lower)) : logits);
  return threshold > 0 ? mul(weights, atLeast(scores, threshold)) : weights;
};

/** The slots of a learner's memory as they weigh themselves: a branch. */
export const selfActivated = (options: SelfActivation): model.Branch =>
  model.banked({ name: "selfActivated", options, weights: () => () => (z) => selfActivation(z, options) });

/** Options of {@link memorySlots}. */
export interface MemorySlotsOptions extends model.LayerChoice, Omit<SelfActivation, "threshold"> {
  /** Slots that a task adds to every layer. */
  readonly rank: number;
}

/** Groups that are trained, and those that hold the past, with zeros where the task's own stand. */
type Group = "A" | "B" | adapter.FrozenGroup;

/** A task's own slots in the groups of the past. */
const noSlots = ({ in: width, out }: model.Layer, rank: number): model.LayerAdapter => ({
  A: { shape: [rank, width], data: new Float32Array(rank * width) },
  B: { shape: [out, rank], data: new Float32Array(out * rank) },
});

/**
 * New slots beside those of earlier tasks, which are frozen: y = x Wᵀ + b + (w ⊙ x Aᵀ) Bᵀ with the keys A and values B of all of them and w their
 * {@link selfActivation}. A threshold has no part in training. Nothing of it can be merged, as w depends on the input.
 */
export const memorySlots = (past: model.AdaptersByLayer, options: MemorySlotsOptions): adapter.Adapter<"A" | "B"> => {
  const { rank, modules, towers, active, temperature } = options;
  const newest = adapter.lora({ rank, modules, towers });
  const earlierOf = (layer: string): readonly model.LayerAdapter[] => (past.get(layer) ?? []).filter((own) => own !== undefined);
  const layersOf = (net: model.Network): readonly model.Layer[] => model.layersOf(net, { modules, towers });
  /** The groups of the past, where there is one. */
  const held = (net: model.Network): adapter.FrozenFactors => {
    const layers = layersOf(net);
    const remembers = layers.some(({ name }) => earlierOf(name).length > 0);
    return adapter.frozenFactors(remembers ? layers : [], (layer) => [...earlierOf(layer.name), noSlots(layer, rank)]);
  };
  return {
    name: "memorySlots",
    options,
    layouts: (net) => ({ ...newest.layouts(net), ...held(net).layouts }),
    trained: ["A", "B"],
    initial: (net, weights, seed, task) => ({ ...newest.initial(net, weights, seed, task), ...held(net).values() }),
    scope: (net, base, groups) => {
      const { A, B, pastA, pastB } = groups as Readonly<Record<Group, ReadonlyMap<string, Tensor>>>;
      const adapted = new Set(layersOf(net).map(({ name }) => name));
      return {
        ...base,
        linear: (name, x, ...updates) => {
          if (!adapted.has(name)) return base.linear(name, x, ...updates);
          const older = model.ranksOf(earlierOf(name));
          const [keys, values] = [A.get(name)!, B.get(name)!];
          const allKeys = pastA === undefined ? keys : add(pastA.get(name)!, pad(keys, 0, older, 0));
          const allValues = pastB === undefined ? values : add(pastB.get(name)!, pad(values, 1, older, 0));
          const z = matmul(x, allKeys, { tb: true });
          return base.linear(name, x, ...updates, { p: mul(z, selfActivation(z, { active, temperature })), q: allValues });
        },
      };
    },
    update: () => adapter.noUpdate,
    ranks: (net) => new Map(layersOf(net).map(({ name }) => [name, model.ranksOf(earlierOf(name)) + rank])),
  };
};
