/**
 * Adapters: what is trained beside, or inside, a frozen model.
 *
 * ```ts
 * interface Adapter<G extends string, T extends G> { layouts; trained; initial; scope; update; ranks }
 * ```
 *
 * An adapter is a value. It lays its parameters out in named groups `G`, of which optimisers change `T`; draws their initial values; decorates
 * a {@link Scope} so that the forward functions go through it; and says what trained values add to which weights, from which merging follows.
 * A stage that needs a group says so by its name.
 */
import type { Tensors } from "../../formats/hostTensor.ts";
import { elementsOf, type Layout } from "../../tensor/layout.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Layer, Network } from "../network.ts";
import type { Part } from "../part.ts";
import type { Scope } from "../scope.ts";
import type { Update } from "./update.ts";

/** Values of the groups of an adapter, each flat in its layout. */
export type GroupValues<G extends string> = Readonly<Record<G, Float32Array>>;

/** Symbolic tensors of the groups of an adapter, by name. */
export type GroupViews<G extends string> = Readonly<Record<G, ReadonlyMap<string, Tensor>>>;

/** What a step may do to the forward pass of adapters: change their input, as dropout does, and let rank-1 components live or sleep. */
export interface Forward {
  /** The input of a module's adapter, from that of the module, in a part of a batch; by default in the whole of it. */
  readonly input?: (layer: Layer, x: Tensor, part?: Part) => Tensor;
  /** Factors of a module's rank-1 components from the adapter's input [batch, tokens, in]: [r], or [batch, 1, r]. */
  readonly gates?: (layer: Layer, x: Tensor, part?: Part) => Tensor;
}

/** An adapter as data and pure functions: its parameters by group, how it changes a forward pass, how it merges. */
export interface Adapter<G extends string, T extends G = G> {
  readonly name: string;
  readonly options: unknown;
  readonly layouts: (net: Network) => Readonly<Record<G, Layout>>;
  /** The groups that optimisers are given; the others are read only, or changed by stages of their own. */
  readonly trained: readonly T[];
  /** Initial values for a task, drawn from (seed, task). */
  readonly initial: (net: Network, weights: Tensors, seed: number, task: number) => GroupValues<G>;
  /** The scope with the adapter in it. */
  readonly scope: (net: Network, base: Scope, groups: GroupViews<G>, forward?: Forward) => Scope;
  /** The logits of images among the task's classes, where the adapter has a part in them: from features [images, width] and the model's logits without it. */
  readonly logits?: (groups: GroupViews<G>, features: Tensor, base: Tensor | undefined) => Tensor;
  /** The rows that a task adds to the learner's head, where the adapter trains one. */
  readonly head?: (net: Network, values: GroupValues<G>) => Head;
  /** True where its updates have any rank, so that no LoRA adapter can say them. */
  readonly fullRank?: boolean;
  /** What its values add to which weights: `mergeUpdate` folds it in. */
  readonly update: (net: Network, values: GroupValues<G>) => Update;
  /** The effective rank of every module, where that has a meaning. */
  readonly ranks: (net: Network, values: GroupValues<G>) => ReadonlyMap<string, number>;
}

/** Rows of a classifier: one a class. `linear`: x · row + bias. `cosine`: `scale` · cos(x, row), added to the model's own logits. */
export interface Head {
  readonly kind: "linear" | "cosine";
  readonly scale: number;
  /** [classes, embed], row-major. */
  readonly rows: Float32Array;
  /** [classes]. */
  readonly bias: Float32Array;
}

/**
 * Parameters that optimisers change, in all: those of CoDyRA on a CLIP ViT-B/16, say (METHODS.md A.2).
 *
 * ```ts
 * const block = { layers: 12, activation: "quick_gelu", eps: 1e-5 } as const;
 * const vision = { ...block, width: 768, mlpWidth: 3072, heads: 12, imageSize: 224, patchSize: 16, channels: 3 };
 * const text = { ...block, width: 512, mlpWidth: 2048, heads: 8, vocabulary: 49408, context: 77, eosId: 49407 };
 * const b16 = model.network(model.clip, { vision, text, embed: 512, initialLogitScale: 4.6 });
 * assert.equal(adapter.trainableParameters(adapter.gatedLora({ rank: 16 }), b16), 4_425_984);
 * ```
 */
export const trainableParameters = <G extends string>(adapter: Adapter<G, any>, net: Network): number => {
  const layouts = adapter.layouts(net);
  return (adapter.trained as readonly G[]).reduce((n, group) => n + elementsOf(layouts[group]), 0);
};
