/** A bank of adapters: those of all tasks, kept beside the weights, and weighted for every image or token wherever the model runs. */
import type { HostTensor } from "../formats/hostTensor.ts";
import { mul } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { branchMemory, type Branch, type BranchContext } from "./branch.ts";
import type { Learner } from "./learner.ts";

/** A low-rank adapter of one layer: A [r, in] and B [out, r]. */
export interface LayerAdapter {
  readonly A: HostTensor;
  readonly B: HostTensor;
}

/** The adapters that a task has left, by layer. */
export type TaskAdapters = ReadonlyMap<string, LayerAdapter>;

/** The adapters of all tasks that a learner has kept without merging them, in the order of the tasks. */
export const bank = branchMemory<readonly TaskAdapters[]>("adapter slots", []);

/** The adapters of one layer as one: all A below one another [ranks, in], all B beside one another [out, ranks]. There must be at least one. */
export const stacked = (adapters: readonly LayerAdapter[]): LayerAdapter => {
  const ranks = adapters.reduce((sum, { A }) => sum + A.shape[0], 0);
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

/** The adapters of a learner's bank by layer, in the order of their tasks; a task that has none in a layer is undefined there. */
export const bankedByLayer = (learner: Pick<Learner, "memory">): ReadonlyMap<string, readonly (LayerAdapter | undefined)[]> => {
  const tasks = bank.of(learner);
  const layers = new Set(tasks.flatMap((task) => [...task.keys()]));
  return new Map([...layers].map((layer) => [layer, tasks.map((task) => task.get(layer))] as const));
};

/** How the ranks of a bank are weighted. */
export interface Weighing {
  readonly name: string;
  readonly options: unknown;
  /** Tensors that it needs, beside `LAYER A` and `LAYER B` of every layer. Default: none. */
  readonly tensors?: (learner: Learner) => ReadonlyMap<string, HostTensor>;
  /** The weights of a layer's ranks, which broadcast to z = x Aᵀ [.., ranks]. */
  readonly weights: (learner: Learner, context: BranchContext) => (z: Tensor, layer: string) => Tensor;
}

/** The adapters of a learner's bank as a branch: y = x Wᵀ + b + (w ⊙ x Aᵀ) Bᵀ, with all A and B of a layer and the given weights w. */
export const banked = ({ name, options, tensors, weights }: Weighing): Branch => ({
  name,
  options,
  tensors: (learner) => {
    const layers = [...bankedByLayer(learner)].flatMap(([layer, adapters]) => {
      const { A, B } = stacked(adapters.filter((adapter) => adapter !== undefined));
      return [
        [`${layer} A`, A],
        [`${layer} B`, B],
      ] as const;
    });
    return new Map([...layers, ...(layers.length === 0 ? [] : (tensors?.(learner) ?? []))]);
  },
  scope: (learner, base, context) => {
    const layers = bankedByLayer(learner);
    if (layers.size === 0) return base;
    const weigh = weights(learner, context);
    return {
      ...base,
      linear: (layer, x, ...updates) => {
        if (!layers.has(layer)) return base.linear(layer, x, ...updates);
        const z = matmul(x, context.tensor(`${layer} A`), { tb: true });
        return base.linear(layer, x, ...updates, { p: mul(z, weigh(z, layer)), q: context.tensor(`${layer} B`) });
      },
    };
  },
});
