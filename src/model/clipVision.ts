/** CLIP's vision tower without what follows it: patches and a class token, a layer norm, and blocks. What CLIP and LLaVA have in common. */
import { add } from "../tensor/ops/elementwise.ts";
import { gather, patchify } from "../tensor/ops/embedding.ts";
import { linear } from "../tensor/ops/matmul.ts";
import { pad } from "../tensor/ops/window.ts";
import { reshape, type Tensor } from "../tensor/tensor.ts";
import { blockLayers, blockParameters, encoder, normParameters, type BlockNames, type BlockOptions } from "./blocks.ts";
import type { VisionConfig } from "./config.ts";
import type { Layer, Parameter } from "./network.ts";
import { norm, type Scope } from "./scope.ts";

/** What CLIP calls the parts of the blocks of a tower; `at` stands before `encoder`. */
export const clipBlocks = (tower: string, at: string): BlockNames => ({
  tower,
  at: `${at}.encoder.layers`,
  q: "self_attn.q_proj",
  k: "self_attn.k_proj",
  v: "self_attn.v_proj",
  out: "self_attn.out_proj",
  fc1: "mlp.fc1",
  fc2: "mlp.fc2",
  norm1: "layer_norm1",
  norm2: "layer_norm2",
});

const options: BlockOptions = { causal: false, qkvBias: true };

/** How many patches an image has. */
export const patchesOf = ({ imageSize, patchSize }: VisionConfig): number => (imageSize / patchSize) ** 2;

/** The linear layers of the first `depth` blocks, in the tower `vision`; `at` stands before all names. */
export const clipVisionLayers = (at: string, vision: VisionConfig, depth: number = vision.layers): readonly Layer[] =>
  blockLayers(clipBlocks("vision", at), { ...vision, layers: depth }, options);

/** The parameters of the tower, with the layer norm behind its last block. */
export const clipVisionParameters = (at: string, vision: VisionConfig): readonly Parameter[] => {
  const initial = { deviation: vision.width ** -0.5 };
  return [
    { name: `${at}.embeddings.class_embedding`, shape: [vision.width], initial },
    {
      name: `${at}.embeddings.patch_embedding.weight`,
      shape: [vision.width, vision.channels, vision.patchSize, vision.patchSize],
      initial,
    },
    { name: `${at}.embeddings.position_embedding.weight`, shape: [patchesOf(vision) + 1, vision.width], initial },
    ...normParameters(`${at}.pre_layrnorm`, vision.width),
    ...blockParameters(clipBlocks("vision", at), vision, options),
    ...normParameters(`${at}.post_layernorm`, vision.width),
  ];
};

/** How much of the images runs through how much of the tower. */
export interface VisionPass {
  /** Through the first so many blocks. Default: all. */
  readonly depth?: number;
  /** u32 [images, 1 + n], rows of the flattened [images · (1 + patches)] tokens: the class token of every image, and those n of its patches that are seen. */
  readonly visible?: Tensor;
}

/** What pixels [images, channels, size, size] become: [images, 1 + patches, width], the class token in front; of patches those that are seen. */
export const clipVisionTokens = (
  scope: Scope,
  at: string,
  vision: VisionConfig,
  pixels: Tensor,
  { depth = vision.layers, visible }: VisionPass = {},
): Tensor => {
  const patches = patchify(pixels, vision.patchSize);
  const [, count, length] = patches.shape;
  const embedded = linear(patches, reshape(scope.param(`${at}.embeddings.patch_embedding.weight`), [vision.width, length]));
  // The class embedding is the content of token 0: added, with the positions, to a zero row before the patches.
  const first = pad(reshape(scope.param(`${at}.embeddings.class_embedding`), [1, vision.width]), 0, 0, count);
  const tokens = add(pad(embedded, 1, 1, 0), add(scope.param(`${at}.embeddings.position_embedding.weight`), first));
  // A patch that is hidden leaves before the first block, with its position.
  const seen = visible === undefined ? tokens : gather(reshape(tokens, [pixels.shape[0] * (1 + count), vision.width]), visible);
  return encoder(scope, clipBlocks("vision", at), norm(scope, `${at}.pre_layrnorm`, seen, vision.eps), { ...vision, layers: depth }, options);
};
