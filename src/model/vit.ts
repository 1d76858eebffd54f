/** ViT (Dosovitskiy et al., arXiv 2010.11929): a vision tower whose feature is the class token after the last norm, without pooler and classifier. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import { vitPreprocess } from "../data/preprocess.ts";
import { printed } from "../formats/json.ts";
import { add } from "../tensor/ops/elementwise.ts";
import { patchify } from "../tensor/ops/embedding.ts";
import { linear } from "../tensor/ops/matmul.ts";
import { pad, slice } from "../tensor/ops/window.ts";
import { floats, reshape, type Tensor } from "../tensor/tensor.ts";
import { lazily, type Architecture, type ForwardArguments } from "./architecture.ts";
import type { Layer, Parameter } from "./network.ts";
import { blockLayers, blockParameters, encoder, linears, normParameters, type BlockNames } from "./blocks.ts";
import {
  configCodec,
  decodeKeys,
  encodeVision,
  faultOfVision,
  rawVision,
  record,
  visionDefaults,
  visionOf,
  withoutNulls,
  type VisionConfig,
} from "./config.ts";
import { norm } from "./scope.ts";

/** The shape of a ViT. */
export interface VitConfig {
  readonly vision: VisionConfig;
  /** Whether queries, keys and values have biases. Default true. */
  readonly qkvBias?: boolean;
}

/** What a ViT gives for images. */
export interface VitOutputs {
  /** [images, width]. */
  readonly imageFeatures: Tensor;
}

/** What `transformers` assumes where a config is silent. */
const defaults = { ...visionDefaults, hidden_act: "gelu", layer_norm_eps: 1e-12, patch_size: 16 };

const decode = (json: unknown): E.Either<string, VitConfig> => {
  const top = record(json);
  if (top.model_type !== "vit") return E.left(`model_type is ${typeof top.model_type === "string" ? top.model_type : printed(top.model_type)}, not vit`);
  return pipe(
    decodeKeys(rawVision, { ...defaults, ...withoutNulls(top) }),
    E.chain((raw) => {
      const vision = visionOf(raw);
      const fault = faultOfVision(vision);
      return fault === undefined ? E.right({ vision, ...(top.qkv_bias === false ? { qkvBias: false } : {}) }) : E.left(fault);
    }),
  );
};

const encode = ({ vision, qkvBias = true }: VitConfig): Record<string, unknown> => ({
  architectures: ["ViTModel"],
  model_type: "vit",
  ...encodeVision(vision),
  qkv_bias: qkvBias,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
});

const names: BlockNames = {
  tower: "vision",
  at: "encoder.layer",
  q: "attention.attention.query",
  k: "attention.attention.key",
  v: "attention.attention.value",
  out: "attention.output.dense",
  fc1: "intermediate.dense",
  fc2: "output.dense",
  norm1: "layernorm_before",
  norm2: "layernorm_after",
};

/** What transformers 5 calls the layers of a model; in files they have kept their names. */
const aliases: BlockNames = {
  ...names,
  at: "layers",
  q: "attention.q_proj",
  k: "attention.k_proj",
  v: "attention.v_proj",
  out: "attention.o_proj",
  fc1: "mlp.fc1",
  fc2: "mlp.fc2",
};

const layers = ({ vision, qkvBias = true }: VitConfig): readonly Layer[] => {
  const renamed = blockLayers(aliases, vision, { qkvBias });
  return blockLayers(names, vision, { qkvBias }).map((layer, i) => ({ ...layer, alias: renamed[i].name }));
};

const parameters = ({ vision, qkvBias = true }: VitConfig): readonly Parameter[] => {
  const { width, channels, patchSize, imageSize } = vision;
  const initial = { deviation: width ** -0.5 };
  return [
    { name: "embeddings.cls_token", shape: [1, 1, width], initial },
    { name: "embeddings.patch_embeddings.projection.weight", shape: [width, channels, patchSize, patchSize], initial },
    { name: "embeddings.patch_embeddings.projection.bias", shape: [width], initial: { value: 0 } },
    { name: "embeddings.position_embeddings", shape: [1, (imageSize / patchSize) ** 2 + 1, width], initial },
    ...blockParameters(names, vision, { qkvBias }),
    ...normParameters("layernorm", width),
  ];
};

const imageFeatures = ({ scope, config: { vision }, input }: ForwardArguments<VitConfig>): Tensor => {
  const { width, patchSize, eps } = vision;
  const patches = patchify(input("pixels"), patchSize);
  const [batch, count, length] = patches.shape;
  const at = "embeddings.patch_embeddings.projection";
  const embedded = linear(patches, reshape(scope.param(`${at}.weight`), [width, length]), scope.param(`${at}.bias`));
  // The class token is the content of token 0: added, with the positions, to a zero row before the patches.
  const first = pad(reshape(scope.param("embeddings.cls_token"), [1, width]), 0, 0, count);
  const positions = reshape(scope.param("embeddings.position_embeddings"), [count + 1, width]);
  const x = encoder(scope, names, add(pad(embedded, 1, 1, 0), add(positions, first)), vision, { causal: false });
  return norm(scope, "layernorm", reshape(slice(x, 1, 0, 1), [batch, width]), eps);
};

/** ViT as `transformers` names and computes it (ViTModel); a ViTForImageClassification is read without its classifier. A head tells classes apart. */
export const vit: Architecture<VitConfig, VitOutputs> = {
  name: "vit",
  config: configCodec("a ViT configuration", decode, encode),
  parameters,
  layers,
  kinds: linears,
  towers: { vision: { inputs: ["pixels"], output: "imageFeatures" } },
  width: ({ vision }) => vision.width,
  prefixes: { "vit.": "" },
  inputs: ({ vision: { channels, imageSize } }, { images }) => ({ pixels: floats([images, channels, imageSize, imageSize]) }),
  images: { size: ({ vision }) => vision.imageSize, preprocess: vitPreprocess },
  forward: (args) => lazily<VitOutputs>({ imageFeatures: () => imageFeatures(args) }, args.given),
  readout: { features: "imageFeatures", images: "imageFeatures" },
};
