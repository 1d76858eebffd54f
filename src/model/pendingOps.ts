/** Compositions that stand in for operations of the tensor language until these are there. */
import { add, constant, mul, scale, sigmoid } from "../tensor/ops/elementwise.ts";
import { crossEntropy } from "../tensor/ops/crossEntropy.ts";
import { gather } from "../tensor/ops/embedding.ts";
import { attentionScores, attentionValues } from "../tensor/ops/matmul.ts";
import type { Positions } from "../tensor/ops/positions.ts";
import { softmax } from "../tensor/ops/softmax.ts";
import { pad, slice } from "../tensor/ops/window.ts";
import { reshape, size, type Tensor } from "../tensor/tensor.ts";

const repeated = (x: Tensor, keyHeads: number, times: number): Tensor => {
  const [batch, tokens, width] = x.shape;
  const [rows, d] = [batch * tokens * keyHeads, width / keyHeads];
  return reshape(add(constant(0, [rows, times, d]), reshape(x, [rows, 1, d])), [batch, tokens, width * times]);
};

/** Scores of grouped attention. */
export const groupedScores = (q: Tensor, k: Tensor, heads: number, factor: number, keyHeads: number): Tensor =>
  attentionScores(q, keyHeads === heads ? k : repeated(k, keyHeads, heads / keyHeads), heads, factor);

/** Values of grouped attention. */
export const groupedValues = (p: Tensor, v: Tensor, heads: number, keyHeads: number): Tensor =>
  attentionValues(p, keyHeads === heads ? v : repeated(v, keyHeads, heads / keyHeads), heads);

/** A softmax that does not heed padding yet. */
export const maskedSoftmax = (x: Tensor, { causal }: Positions & { readonly causal: boolean }): Tensor => softmax(x, { causal });

/** silu(gate) ∘ up. */
export const swiglu = (gate: Tensor, up: Tensor): Tensor => mul(mul(gate, sigmoid(gate)), up);

/** The log-likelihood of the tokens `next` [rows]. */
export const tokenLogLikelihood = (logits: Tensor, next: Tensor): Tensor => {
  const [, width] = logits.shape;
  const diagonal = pad(constant(1, [width, 1]), 1, 0, width);
  const eye = slice(reshape(diagonal, [size(diagonal.shape)]), 0, 0, width * width);
  return scale(crossEntropy(logits, gather(reshape(eye, [width, width]), next)), -1);
};
