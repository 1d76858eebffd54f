/** The forward functions of CLIP and ViT, as pure functions of a scope. */
import { add } from "../tensor/ops/elementwise.ts";
import { gather, patchify } from "../tensor/ops/embedding.ts";
import { linear, matmul } from "../tensor/ops/matmul.ts";
import { pad, slice } from "../tensor/ops/window.ts";
import { reshape, type Tensor } from "../tensor/tensor.ts";
import { hasText, type ClipConfig, type ModelConfig, type TextConfig } from "./config.ts";
import { encoder, norm, type Scope } from "./transformer.ts";

/**
 * Image features before normalisation: pixels [batch, channels, size, size] → [batch, embed]. What a CLIP has and a ViT lacks is a norm
 * before its blocks and a projection after them; what a ViT has of its own is a bias of its patches.
 */
export const imageFeatures = (scope: Scope, config: ModelConfig, pixels: Tensor): Tensor => {
  const at = "vision_model.embeddings";
  const { vision } = config;
  const clip = hasText(config);
  const patches = patchify(pixels, vision.patchSize);
  const [batch, count, length] = patches.shape;
  const kernel = reshape(scope.param(`${at}.patch_embedding.weight`), [vision.width, length]);
  const embedded = linear(patches, kernel, clip ? undefined : scope.param(`${at}.patch_embedding.bias`));
  // The class embedding is the content of token 0: added, with the positions, to a zero row before the patches.
  const first = pad(reshape(scope.param(`${at}.class_embedding`), [1, vision.width]), 0, 0, count);
  const tokens = add(pad(embedded, 1, 1, 0), add(scope.param(`${at}.position_embedding.weight`), first));
  const entering = clip ? norm(scope, "vision_model.pre_layrnorm", tokens, vision.eps) : tokens;
  const x = encoder(scope, "vision_model.encoder", entering, vision, false);
  const pooled = norm(scope, "vision_model.post_layernorm", reshape(slice(x, 1, 0, 1), [batch, vision.width]), vision.eps);
  return clip ? matmul(pooled, scope.param("visual_projection.weight"), { tb: true }) : pooled;
};

/**
 * Text features before normalisation: ids u32 [texts, length] and, for each text, the row of its end token in the flattened
 * [texts · length] tokens → [texts, embed]. `length` may be shorter than the context: attention is causal, so what stands after the
 * longest text's end token changes nothing.
 */
export const textFeatures = (scope: Scope, { text }: ClipConfig, ids: Tensor, ends: Tensor): Tensor => {
  const at = "text_model.embeddings";
  const [count, length] = ids.shape;
  const positions = scope.param(`${at}.position_embedding.weight`);
  const tokens = add(gather(scope.param(`${at}.token_embedding.weight`), ids), length === text.context ? positions : slice(positions, 0, 0, length));
  const x = norm(scope, "text_model.final_layer_norm", encoder(scope, "text_model.encoder", tokens, text, true), text.eps);
  return matmul(gather(reshape(x, [count * length, text.width]), ends), scope.param("text_projection.weight"), { tb: true });
};

/** Token ids ready for {@link textFeatures}: trimmed to about the longest text, with the flattened rows of the end tokens. */
export interface TextBatch {
  readonly count: number;
  readonly length: number;
  readonly ids: Uint32Array;
  readonly ends: Uint32Array;
}

/** Lengths of texts are rounded up to a multiple of this: rows are then read four at a time, and tasks share their kernels. */
const lengthStep = 4;

/** Trims padded ids [texts, context] behind the last end token; `length` (at least the longest text) fixes the width instead. */
export const textBatch = ({ context, eosId }: TextConfig, padded: Uint32Array, length?: number): TextBatch => {
  const count = padded.length / context;
  const last = Array.from({ length: count }, (_, i) => {
    const row = padded.subarray(i * context, (i + 1) * context);
    return eosId === 2 ? row.indexOf(row.reduce((a, b) => Math.max(a, b), 0)) : Math.max(0, row.indexOf(eosId));
  });
  const longest = last.reduce((a, b) => Math.max(a, b), 0) + 1;
  const width = length ?? Math.min(context, Math.ceil(longest / lengthStep) * lengthStep);
  const ids = new Uint32Array(count * width);
  for (let i = 0; i < count; i++) ids.set(padded.subarray(i * context, i * context + width), i * width);
  return { count, length: width, ids, ends: Uint32Array.from(last, (end, i) => i * width + end) };
};
