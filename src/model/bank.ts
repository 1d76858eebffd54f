/** A bank of adapters: those of all tasks, kept beside the weights, and weighted for every image or token wherever the model runs. */
import type { HostTensor } from "../formats/hostTensor.ts";
import { mul } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { reshape, type Tensor } from "../tensor/tensor.ts";
import { branchMemory, type Branch, type BranchContext } from "./branch.ts";
import type { Learner } from "./learner.ts";

/** A low-rank adapter of one layer: A [r, in] and B [out, r]. */
export interface LayerAdapter {
  readonly A: HostTensor;
  readonly B: HostTensor;
}

/** The adapters that a task has left, by layer. */
export type TaskAdapters = ReadonlyMap<string, LayerAdapter>;

/**
 * The adapters of all tasks that a learner has kept without merging them, in the order of the tasks.
 *
 * ```ts
 * const own = { A: { shape: [1, 2], data: Float32Array.of(1, 0) }, B: { shape: [2, 1], data: Float32Array.of(0, 3) } };
 * const kept = model.bank.keep({ memory: {} } as cambium.Learner, [new Map([["vision.0.q", own]])]);
 * assert.equal(model.bank.of(kept)[0].get("vision.0.q"), own);
 * assert.deepEqual(model.bank.of({ memory: {} }), []);
 * ```
 */
export const bank = branchMemory<readonly TaskAdapters[]>("adapter slots", []);

/** The ranks of several adapters of one layer together. */
export const ranksOf = (adapters: readonly LayerAdapter[]): number => adapters.reduce((sum, { A }) => sum + A.shape[0], 0);

/**
 * The adapters of one layer as one: all A below one another [ranks, in], all B beside one another [out, ranks]. There must be at least one.
 *
 * ```ts
 * const first = { A: { shape: [1, 2], data: Float32Array.of(1, 2) }, B: { shape: [2, 1], data: Float32Array.of(5, 6) } };
 * const second = { A: { shape: [1, 2], data: Float32Array.of(3, 4) }, B: { shape: [2, 1], data: Float32Array.of(7, 8) } };
 * const { A, B } = model.stacked([first, second]);
 * assert.deepEqual([A.shape, [...A.data], B.shape, [...B.data]], [[2, 2], [1, 2, 3, 4], [2, 2], [5, 7, 6, 8]]);
 * ```
 */
export const stacked = (adapters: readonly LayerAdapter[]): LayerAdapter => {
  const ranks = ranksOf(adapters);
  const [out, width] = [adapters[0].B.shape[0], adapters[0].A.shape[1]];
  const [rows, columns] = [new Float32Array(ranks * width), new Float32Array(out * ranks)];
  adapters.reduce((at, { A, B }) => {
    const [r] = A.shape;
    rows.set(A.data, at * width);
    B.data.forEach((x, i) => (columns[Math.floor(i / r) * ranks + at + (i % r)] = x));
    return at + r;
  }, 0);
  return { A: { shape: [ranks, width], data: rows }, B: { shape: [out, ranks], data: columns } };
};

/**
 * Which members are in which group, where those of a group stand one behind the other: [groups, members], 1 or 0.
 *
 * ```ts
 * assert.deepEqual([...model.membership([1, 0, 2]).data], [1, 0, 0, 0, 0, 0, 0, 1, 1]);
 * ```
 */
export const membership = (counts: readonly number[]): HostTensor => {
  const groupOf = counts.flatMap((count, group) => Array.from({ length: count }, () => group));
  const members = groupOf.length;
  return {
    shape: [counts.length, members],
    data: Float32Array.from({ length: counts.length * members }, (_, i) => (groupOf[i % members] === Math.floor(i / members) ? 1 : 0)),
  };
};

/** The adapters of all tasks in each layer, in the order of the tasks; that of a task which has none there is undefined. */
export type AdaptersByLayer = ReadonlyMap<string, readonly (LayerAdapter | undefined)[]>;

/**
 * The adapters of a learner's bank by layer, in the order of their tasks; a task that has none in a layer is undefined there.
 *
 * ```ts
 * const own = { A: { shape: [1, 2], data: Float32Array.of(1, 0) }, B: { shape: [2, 1], data: Float32Array.of(0, 3) } };
 * const kept = model.bank.keep({ memory: {} } as cambium.Learner, [new Map([["q", own]]), new Map([["v", own]])]);
 * assert.deepEqual([...model.bankedByLayer(kept)], [["q", [own, undefined]], ["v", [undefined, own]]]);
 * ```
 */
export const bankedByLayer = (learner: Pick<Learner, "memory">): AdaptersByLayer => {
  const tasks = bank.of(learner);
  const layers = new Set(tasks.flatMap((task) => [...task.keys()]));
  return new Map([...layers].map((layer) => [layer, tasks.map((task) => task.get(layer))] as const));
};

/** Weights of tasks [images, tasks] as weights of their ranks, for z [images, .., ranks]: `ranks` says which are whose ({@link membership}). */
export const weightsOfRanks = (weights: Tensor, ranks: Tensor, z: Tensor): Tensor => {
  const [images, ...between] = z.shape.slice(0, -1);
  const ofRanks = matmul(weights, ranks);
  return reshape(ofRanks, [images, ...between.map(() => 1), ofRanks.shape[1]]);
};

/** How the ranks of adapters are weighted. */
export interface Weighing {
  readonly name: string;
  readonly options: unknown;
  /** The adapters. Default: those of the learner's bank. */
  readonly adapters?: (learner: Learner) => AdaptersByLayer;
  /** Tensors that it needs, beside `LAYER A`, `LAYER B` and `LAYER ranks`, the {@link membership} of ranks in tasks. Default: none. */
  readonly tensors?: (learner: Learner) => ReadonlyMap<string, HostTensor>;
  /**
   * Weights for the ranks of a layer that x enters, which broadcast to z = x Aᵀ [.., ranks]. A layer whose tasks have left no adapter is told of x, too, and
   * not asked for weights.
   */
  readonly weights: (learner: Learner, context: BranchContext) => (layer: string, x: Tensor) => (z: Tensor) => Tensor;
}

const present = (adapters: readonly (LayerAdapter | undefined)[]): readonly LayerAdapter[] => adapters.filter((adapter) => adapter !== undefined);

/**
 * Adapters that are never merged as a branch: y = x Wᵀ + b + (w ⊙ x Aᵀ) Bᵀ, with all A and B of a layer and the given weights w.
 *
 * ```ts
 * const equally = model.banked({ name: "equally", options: {}, weights: () => () => (z) => tensor.constant(1, [z.shape.at(-1)!]) });
 * const own = { A: { shape: [1, 2], data: Float32Array.of(1, 0) }, B: { shape: [2, 1], data: Float32Array.of(0, 3) } };
 * const kept = model.bank.keep({ memory: {} } as cambium.Learner, [new Map([["q", own]])]);
 * assert.deepEqual([...equally.tensors(kept).keys()], ["q A", "q B", "q ranks"]);
 * assert.equal(stage.evaluate({}, { through: equally }).name, "evaluate");
 * ```
 */
export const banked = ({ name, options, adapters = bankedByLayer, tensors, weights }: Weighing): Branch => ({
  name,
  options,
  tensors: (learner) => {
    const layers = adapters(learner);
    const factors = [...layers].flatMap(([layer, ofTasks]) => {
      if (present(ofTasks).length === 0) return [];
      const { A, B } = stacked(present(ofTasks));
      return [
        [`${layer} A`, A],
        [`${layer} B`, B],
        [`${layer} ranks`, membership(ofTasks.map((adapter) => adapter?.A.shape[0] ?? 0))],
      ] as const;
    });
    return new Map([...factors, ...(layers.size === 0 ? [] : (tensors?.(learner) ?? []))]);
  },
  scope: (learner, base, context) => {
    const layers = adapters(learner);
    if (layers.size === 0) return base;
    const weigh = weights(learner, context);
    return {
      ...base,
      linear: (layer, x, ...updates) => {
        const ofTasks = layers.get(layer);
        if (ofTasks === undefined) return base.linear(layer, x, ...updates);
        const weightsFor = weigh(layer, x);
        if (present(ofTasks).length === 0) return base.linear(layer, x, ...updates);
        const z = matmul(x, context.tensor(`${layer} A`), { tb: true });
        return base.linear(layer, x, ...updates, { p: mul(z, weightsFor(z)), q: context.tensor(`${layer} B`) });
      },
    };
  },
});
