/** The shape of a CLIP model, as its Hugging Face `config.json` states it. */
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

/** The shape of a CLIP. */
export interface ClipConfig {
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  /** Width of the joint space. */
  readonly embed: number;
  readonly initialLogitScale: number;
}

const positive = t.refinement(t.Int, (n) => n > 0, "positive integer");
const activation = t.keyof({ quick_gelu: null, gelu: null });
const tower = {
  hidden_size: positive, intermediate_size: positive, num_hidden_layers: positive, num_attention_heads: positive,
  hidden_act: activation, layer_norm_eps: t.number,
};
const raw = t.type({
  projection_dim: positive,
  logit_scale_init_value: t.number,
  text_config: t.type({ ...tower, max_position_embeddings: positive, vocab_size: positive, eos_token_id: t.union([t.Int, t.null]) }),
  vision_config: t.type({ ...tower, image_size: positive, patch_size: positive, num_channels: positive }),
});

/** What `transformers` assumes where a config is silent. */
const towerDefaults = { hidden_act: "quick_gelu", layer_norm_eps: 1e-5, num_hidden_layers: 12 };
const textDefaults = {
  ...towerDefaults, hidden_size: 512, intermediate_size: 2048, num_attention_heads: 8, max_position_embeddings: 77, vocab_size: 49408, eos_token_id: 49407,
};
const visionDefaults = {
  ...towerDefaults, hidden_size: 768, intermediate_size: 3072, num_attention_heads: 12, image_size: 224, patch_size: 32, num_channels: 3,
};

const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});
const given = (value: unknown): Record<string, unknown> => Object.fromEntries(Object.entries(record(value)).filter(([, v]) => v !== undefined && v !== null));

/** Decodes the contents of a `config.json`; `path` is for messages. Missing keys take the defaults of `transformers`. */
export const decodeConfig = (path: string, json: unknown): E.Either<Failure, ClipConfig> => {
  const fail = (detail: string): E.Either<Failure, never> => E.left({ _tag: "BadConfig", path, detail });
  const top = record(json);
  if (top.model_type !== undefined && top.model_type !== "clip") return fail(`model_type is ${String(top.model_type)}, not clip`);
  if (top.text_config === undefined && top.vision_config === undefined) return fail("has neither text_config nor vision_config: not a CLIP configuration");
  const decoded = raw.decode({
    projection_dim: 512, logit_scale_init_value: 2.6592, ...given(top),
    text_config: { ...textDefaults, ...given(top.text_config), ...given(top.text_config_dict) },
    vision_config: { ...visionDefaults, ...given(top.vision_config), ...given(top.vision_config_dict) },
  });
  if (E.isLeft(decoded)) return fail(explain(decoded.left));
  const { text_config: text, vision_config: vision, projection_dim: embed, logit_scale_init_value: initialLogitScale } = decoded.right;
  for (const [name, c] of [["text_config", text], ["vision_config", vision]] as const) {
    if (c.hidden_size % c.num_attention_heads !== 0) return fail(`${name}: hidden_size ${c.hidden_size} is not divisible by ${c.num_attention_heads} heads`);
  }
  if (vision.image_size % vision.patch_size !== 0) {
    return fail(`vision_config: image_size ${vision.image_size} is not divisible by patch_size ${vision.patch_size}`);
  }
  const common = (c: typeof text | typeof vision): TowerConfig => ({
    width: c.hidden_size, mlpWidth: c.intermediate_size, layers: c.num_hidden_layers, heads: c.num_attention_heads,
    activation: c.hidden_act, eps: c.layer_norm_eps,
  });
  return E.right({
    embed, initialLogitScale,
    text: { ...common(text), vocabulary: text.vocab_size, context: text.max_position_embeddings, eosId: text.eos_token_id ?? 49407 },
    vision: { ...common(vision), imageSize: vision.image_size, patchSize: vision.patch_size, channels: vision.num_channels },
  });
};

/** The `config.json` of a configuration, as `transformers` reads it. */
export const encodeConfig = (c: ClipConfig): unknown => {
  const common = (tower: TowerConfig): Record<string, unknown> => ({
    hidden_size: tower.width, intermediate_size: tower.mlpWidth, num_hidden_layers: tower.layers, num_attention_heads: tower.heads,
    hidden_act: tower.activation, layer_norm_eps: tower.eps, attention_dropout: 0, projection_dim: c.embed,
  });
  return {
    architectures: ["CLIPModel"], model_type: "clip", projection_dim: c.embed, logit_scale_init_value: c.initialLogitScale,
    text_config: {
      ...common(c.text), model_type: "clip_text_model", max_position_embeddings: c.text.context, vocab_size: c.text.vocabulary, eos_token_id: c.text.eosId,
      bos_token_id: c.text.eosId === 2 ? 0 : c.text.eosId - 1, pad_token_id: 1,
    },
    vision_config: {
      ...common(c.vision), model_type: "clip_vision_model", image_size: c.vision.imageSize, patch_size: c.vision.patchSize, num_channels: c.vision.channels,
    },
  };
};
