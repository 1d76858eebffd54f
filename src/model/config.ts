/** The shapes of CLIP and ViT models, as their Hugging Face `config.json` states them. */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { explain } from "../formats/files.ts";

/** The activation of the MLPs; `quick_gelu` is x · σ(1.702 x). */
export type Activation = "quick_gelu" | "gelu";

/** A stack of transformer blocks. */
export interface TowerConfig {
  readonly width: number;
  readonly mlpWidth: number;
  readonly layers: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly eps: number;
}

/** The vision tower: square images of `imageSize` pixels, cut into patches. */
export interface VisionConfig extends TowerConfig {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
}

/** The text tower: at most `context` tokens of a vocabulary. */
export interface TextConfig extends TowerConfig {
  readonly vocabulary: number;
  readonly context: number;
  /** The id whose first position is pooled. The value 2 means, as in old configs, the position of the largest id. */
  readonly eosId: number;
}

/** What every model has: a vision tower, a text tower or none, and features of `embed` numbers. */
export interface ModelConfig {
  readonly vision: VisionConfig;
  readonly text?: TextConfig | undefined;
  /** Width of the features. */
  readonly embed: number;
}

/** The shape of a CLIP: `embed` is the width of the joint space that both towers are projected into. */
export interface ClipConfig extends ModelConfig {
  readonly text: TextConfig;
  readonly initialLogitScale: number;
}

/** The shape of a ViT: `embed` is the width of its vision tower, whose features are not projected. */
export interface VitConfig extends ModelConfig {
  readonly text?: undefined;
}

/** Whether a configuration is a CLIP's: it has a text tower. */
export const hasText = (config: ModelConfig): config is ClipConfig => config.text !== undefined;

const positive = t.refinement(t.Int, (n) => n > 0, "positive integer");
const activation = t.keyof({ quick_gelu: null, gelu: null });
const tower = t.type({
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  hidden_act: activation,
  layer_norm_eps: t.number,
});
const rawText = t.intersection([tower, t.type({ max_position_embeddings: positive, vocab_size: positive, eos_token_id: t.union([t.Int, t.null]) })]);
const rawVision = t.intersection([tower, t.type({ image_size: positive, patch_size: positive, num_channels: positive })]);
const rawClip = t.type({ projection_dim: positive, logit_scale_init_value: t.number, text_config: rawText, vision_config: rawVision });

/** What `transformers` assumes where a config is silent. */
const towerDefaults = { hidden_act: "quick_gelu", layer_norm_eps: 1e-5, num_hidden_layers: 12 };
const textDefaults = {
  ...towerDefaults,
  hidden_size: 512,
  intermediate_size: 2048,
  num_attention_heads: 8,
  max_position_embeddings: 77,
  vocab_size: 49408,
  eos_token_id: 49407,
};
const visionDefaults = {
  ...towerDefaults,
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  image_size: 224,
  patch_size: 32,
  num_channels: 3,
};
const vitDefaults = { ...visionDefaults, hidden_act: "gelu", layer_norm_eps: 1e-12, patch_size: 16 };

const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});
const given = (value: unknown): Record<string, unknown> => Object.fromEntries(Object.entries(record(value)).filter(([, v]) => v !== undefined && v !== null));

const towerOf = (c: t.TypeOf<typeof tower>): TowerConfig => ({
  width: c.hidden_size,
  mlpWidth: c.intermediate_size,
  layers: c.num_hidden_layers,
  heads: c.num_attention_heads,
  activation: c.hidden_act,
  eps: c.layer_norm_eps,
});
const visionOf = (c: t.TypeOf<typeof rawVision>): VisionConfig => ({
  ...towerOf(c),
  imageSize: c.image_size,
  patchSize: c.patch_size,
  channels: c.num_channels,
});

/** What does not divide, in words. */
const faultOfTower = ({ width, heads }: TowerConfig): string | undefined =>
  width % heads === 0 ? undefined : `hidden_size ${width} is not divisible by ${heads} heads`;
const faultOfVision = (c: VisionConfig): string | undefined =>
  faultOfTower(c) ?? (c.imageSize % c.patchSize === 0 ? undefined : `image_size ${c.imageSize} is not divisible by patch_size ${c.patchSize}`);

const badConfig =
  (path: string) =>
  (detail: string): E.Either<Failure, never> =>
    E.left({ _tag: "BadConfig", path, detail });

/** Decodes the `config.json` of a CLIP; `path` is for messages. Missing keys take the defaults of `transformers`. Failures: `BadConfig`. */
export const decodeConfig = (path: string, json: unknown): E.Either<Failure, ClipConfig> => {
  const fail = badConfig(path);
  const top = record(json);
  if (top.model_type !== undefined && top.model_type !== "clip") return fail(`model_type is ${String(top.model_type)}, not clip`);
  if (top.text_config === undefined && top.vision_config === undefined) {
    return fail("has neither text_config nor vision_config: not a CLIP configuration, nor a ViT's, whose model_type is vit");
  }
  const decoded = rawClip.decode({
    projection_dim: 512,
    logit_scale_init_value: 2.6592,
    ...given(top),
    text_config: { ...textDefaults, ...given(top.text_config), ...given(top.text_config_dict) },
    vision_config: { ...visionDefaults, ...given(top.vision_config), ...given(top.vision_config_dict) },
  });
  if (E.isLeft(decoded)) return fail(explain(decoded.left));
  const { text_config: raw, projection_dim: embed, logit_scale_init_value: initialLogitScale } = decoded.right;
  const text = { ...towerOf(raw), vocabulary: raw.vocab_size, context: raw.max_position_embeddings, eosId: raw.eos_token_id ?? 49407 };
  const vision = visionOf(decoded.right.vision_config);
  const [inText, inVision] = [faultOfTower(text), faultOfVision(vision)];
  if (inText !== undefined) return fail(`text_config: ${inText}`);
  if (inVision !== undefined) return fail(`vision_config: ${inVision}`);
  return E.right({ embed, initialLogitScale, text, vision });
};

/** Decodes the `config.json` of a ViT; `path` is for messages. Missing keys take the defaults of `transformers`. Failures: `BadConfig`. */
export const decodeVitConfig = (path: string, json: unknown): E.Either<Failure, VitConfig> => {
  const fail = badConfig(path);
  const top = record(json);
  if (top.model_type !== "vit") return fail(`model_type is ${String(top.model_type)}, not vit`);
  if (top.qkv_bias === false) return fail("qkv_bias is false: a ViT without biases on queries, keys and values is not supported");
  const decoded = rawVision.decode({ ...vitDefaults, ...given(top) });
  if (E.isLeft(decoded)) return fail(explain(decoded.left));
  const vision = visionOf(decoded.right);
  const fault = faultOfVision(vision);
  return fault === undefined ? E.right({ embed: vision.width, vision }) : fail(fault);
};

const encodeTower = (c: TowerConfig): Record<string, unknown> => ({
  hidden_size: c.width,
  intermediate_size: c.mlpWidth,
  num_hidden_layers: c.layers,
  num_attention_heads: c.heads,
  hidden_act: c.activation,
  layer_norm_eps: c.eps,
});
const encodeVision = (c: VisionConfig): Record<string, unknown> => ({
  ...encodeTower(c),
  image_size: c.imageSize,
  patch_size: c.patchSize,
  num_channels: c.channels,
});

/** The `config.json` of a CLIP, as `transformers` reads it. */
export const encodeConfig = ({ vision, text, embed, initialLogitScale }: ClipConfig): Record<string, unknown> => {
  const common = { attention_dropout: 0, projection_dim: embed };
  return {
    architectures: ["CLIPModel"],
    model_type: "clip",
    projection_dim: embed,
    logit_scale_init_value: initialLogitScale,
    text_config: {
      ...encodeTower(text),
      ...common,
      model_type: "clip_text_model",
      max_position_embeddings: text.context,
      vocab_size: text.vocabulary,
      eos_token_id: text.eosId,
      bos_token_id: text.eosId === 2 ? 0 : text.eosId - 1,
      pad_token_id: 1,
    },
    vision_config: { ...encodeVision(vision), ...common, model_type: "clip_vision_model" },
  };
};

/** The `config.json` of a ViT, as `transformers` reads it. */
export const encodeVitConfig = ({ vision }: VitConfig): Record<string, unknown> => ({
  architectures: ["ViTModel"],
  model_type: "vit",
  ...encodeVision(vision),
  qkv_bias: true,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
});
