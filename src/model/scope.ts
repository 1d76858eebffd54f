/** Where a forward function gets its parameters and its linear layers. */
import { add, scale } from "../tensor/ops/elementwise.ts";
import { layerNorm } from "../tensor/ops/layerNorm.ts";
import { linear, matmul, type LowRank } from "../tensor/ops/matmul.ts";
import type { Shape, Tensor } from "../tensor/tensor.ts";
import type { Network } from "./network.ts";

/**
 * Where a forward function gets its parameters and its linear layers. An adapter is a decoration of a scope: it answers `linear`
 * with the base layer plus its own path, or `param` with a tensor that is being trained.
 */
export interface Scope {
  readonly param: (name: string) => Tensor;
  /** Whether the network has a parameter of that name. */
  readonly has: (name: string) => boolean;
  /** `x Wᵀ + b + Σ p qᵀ` of the named layer, with the low-rank updates of the adapters around it. */
  readonly linear: (layer: string, x: Tensor, ...updates: readonly LowRank[]) => Tensor;
}

/** The scope of a network as it is, from its parameters. */
export const plainScope = ({ parameters }: Network, param: Scope["param"]): Scope => {
  const has = (name: string): boolean => parameters.has(name);
  return {
    param,
    has,
    // The first update costs no pass of its own: it is the epilogue of the product.
    linear: (layer, x, first, ...rest) => {
      const bias = has(`${layer}.bias`) ? param(`${layer}.bias`) : undefined;
      return rest.reduce((y, { p, q }) => add(y, matmul(p, q, { tb: true })), linear(x, param(`${layer}.weight`), bias, first));
    },
  };
};

/** The scope of a network whose parameters are frozen tensors of a program. */
export const frozenScope = (net: Network, frozen: (name: string, shape: Shape) => Tensor): Scope =>
  plainScope(net, (name) => frozen(name, net.parameters.get(name)!.shape));

const between = (a: Tensor, b: Tensor, alpha: number): Tensor => (a === b ? a : add(scale(b, alpha), scale(a, 1 - alpha)));

/**
 * The scope of weights between those of two: (1 − alpha) times the first and alpha times the second. What a layer computes is linear in its weights, so that
 * holds of its results, too, whatever adapters stand in a scope. `interpolatedUpdate` (adapters/update.ts) is the same of the weights themselves.
 */
export const interpolated = (first: Scope, second: Scope, alpha: number): Scope => ({
  has: second.has,
  param: (name) => between(first.param(name), second.param(name), alpha),
  linear: (layer, x, ...updates) => between(first.linear(layer, x, ...updates), second.linear(layer, x, ...updates), alpha),
});

/** The layer norm of the given name. */
export const norm = (scope: Scope, name: string, x: Tensor, eps: number): Tensor =>
  layerNorm(x, scope.param(`${name}.weight`), scope.param(`${name}.bias`), eps);
