/** The pre-norm transformer block that both towers of CLIP (and ViT) are stacks of. */
import { add, gelu, quickGelu } from "../tensor/ops/elementwise.ts";
import { layerNorm } from "../tensor/ops/layerNorm.ts";
import { attentionScores, attentionValues, linear, matmul, type LowRank } from "../tensor/ops/matmul.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TowerConfig } from "./config.ts";

/**
 * Where a forward function gets its parameters and its linear layers. An adapter is a decoration of a scope: it answers `linear`
 * with the base layer plus its own path, or `param` with a tensor that is being trained.
 */
export interface Scope {
  readonly param: (name: string) => Tensor;
  /** `x Wᵀ + b + Σ p qᵀ` of the named module, with the low-rank updates of the adapters around it. */
  readonly linear: (module: string, x: Tensor, ...updates: readonly LowRank[]) => Tensor;
}

/** The scope of a model as it is, from its parameters. */
export const plainScope = (param: Scope["param"]): Scope => ({
  param,
  // The first update costs no pass of its own: it is the epilogue of the product.
  linear: (module, x, first, ...rest) =>
    rest.reduce((y, { p, q }) => add(y, matmul(p, q, { tb: true })), linear(x, param(`${module}.weight`), param(`${module}.bias`), first)),
});

/** The layer norm of the given name. */
export const norm = (scope: Scope, name: string, x: Tensor, eps: number): Tensor =>
  layerNorm(x, scope.param(`${name}.weight`), scope.param(`${name}.bias`), eps);

/** Self-attention over [batch, tokens, width]. */
const attention = (scope: Scope, at: string, x: Tensor, { width, heads }: TowerConfig, causal: boolean): Tensor => {
  const [q, k, v] = ["q_proj", "k_proj", "v_proj"].map((name) => scope.linear(`${at}.${name}`, x));
  const weights = softmax(attentionScores(q, k, heads, (width / heads) ** -0.5), { causal });
  return scope.linear(`${at}.out_proj`, attentionValues(weights, v, heads));
};

/** One block: x + attention(norm(x)), then x + mlp(norm(x)). */
export const block = (scope: Scope, at: string, x: Tensor, config: TowerConfig, causal: boolean): Tensor => {
  const attended = add(x, attention(scope, `${at}.self_attn`, norm(scope, `${at}.layer_norm1`, x, config.eps), config, causal));
  const hidden = scope.linear(`${at}.mlp.fc1`, norm(scope, `${at}.layer_norm2`, attended, config.eps));
  const activated = config.activation === "gelu" ? gelu(hidden) : quickGelu(hidden);
  return add(attended, scope.linear(`${at}.mlp.fc2`, activated));
};

/** All blocks of a tower. */
export const encoder = (scope: Scope, at: string, x: Tensor, config: TowerConfig, causal: boolean): Tensor =>
  Array.from({ length: config.layers }, (_, i) => `${at}.layers.${i}`).reduce((y, name) => block(scope, name, y, config, causal), x);
