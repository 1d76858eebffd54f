/** The factor c of a low-rank update c · B A. */
import { chooses, depthOf, type Layer, type LayerChoice, type Network } from "../network.ts";

/** The factor of a layer's update: one number, or a function of the layer. */
export type Scale = number | { readonly name: string; readonly options: unknown; readonly of: (layer: Layer, net: Network) => number };

/** The factor of one layer. */
export const scaleOf = (scale: Scale, layer: Layer, net: Network): number => (typeof scale === "number" ? scale : scale.of(layer, net));

/** Options of {@link depthScale}. */
export interface DepthScaleOptions {
  /** The factor of the first block; that of the last is 1. Default 0.2. */
  readonly from?: number;
  /** The towers that are scaled by depth; others keep `base`. Default the vision tower, as in the authors' code. */
  readonly towers?: LayerChoice["towers"];
  /** α/r. Default 1. */
  readonly base?: number;
}

/**
 * KeepLoRA++'s factor, which grows linearly with depth: base · (γ + (1 − γ) · l / (layers − 1)) (arXiv 2606.16256; METHODS.md B.2).
 *
 * ```ts
 * const vision = { width: 6, mlpWidth: 24, layers: 5, heads: 1, activation: "gelu", eps: 1e-5, imageSize: 8, patchSize: 4, channels: 3 } as const;
 * const net = model.network(model.vit, { vision });
 * const queries = model.layersOf(net, { modules: ["q"], towers: "all" });
 * assert.deepEqual(queries.map((layer) => adapter.depthScale().of(layer, net).toFixed(1)), ["0.2", "0.4", "0.6", "0.8", "1.0"]);
 * ```
 */
export const depthScale = ({ from = 0.2, towers = ["vision"], base = 1 }: DepthScaleOptions = {}): Exclude<Scale, number> => ({
  name: "depthScale",
  options: { from, towers, base },
  of: ({ tower, depth }, net) => {
    const blocks = depthOf(net, tower);
    const scaled = chooses(towers, tower) && blocks > 1;
    return scaled ? base * (from + ((1 - from) * depth) / (blocks - 1)) : base;
  },
});
