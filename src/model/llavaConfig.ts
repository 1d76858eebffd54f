/** The shape of a LLaVA, from the keys of `config.json` and back. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import { printed } from "../formats/json.ts";
import type { Activation } from "./blocks.ts";
import { decodeKeys, encodeVision, faultOfVision, rawVision, record, visionDefaults, visionOf, withoutNulls, type VisionConfig } from "./config.ts";
import { decodeLanguage, encodeLanguage, isFamily, type LanguageConfig } from "./languageConfig.ts";

/** Which tokens of a picture go to the language model: the patches (`default`), or the class token before them, too (`full`). */
export type FeatureSelect = "default" | "full";

/** A vision tower of CLIP, a projector of two linear layers, and a language model. */
export interface LlavaConfig {
  readonly vision: VisionConfig;
  readonly text: LanguageConfig;
  /** The id that stands for a token of a picture. */
  readonly imageToken: number;
  /** How many blocks of the vision tower are computed: the projector reads what the last of them gives. */
  readonly visionDepth: number;
  readonly select: FeatureSelect;
  readonly projectorActivation: Activation;
  /** Whether the layers of the projector have biases. */
  readonly projectorBias: boolean;
  /**
   * Whether neighbouring tokens of a picture, 2 x 2 at a time, become their mean behind the projector, so that a video has a quarter of the tokens. It stands
   * in `config.json` as `image_pooling`, which transformers does not know. Default: no.
   */
  readonly pooled?: true;
}

const Raw = t.type({
  image_pooling: t.union([t.literal(1), t.literal(2)]),
  image_token_index: t.Int,
  vision_feature_layer: t.Int,
  vision_feature_select_strategy: t.keyof({ default: null, full: null }),
  projector_hidden_act: t.keyof({ gelu: null, quick_gelu: null }),
  multimodal_projector_bias: t.boolean,
});

/** What `transformers` assumes where a config is silent. */
const defaults = {
  image_pooling: 1,
  image_token_index: 32000,
  vision_feature_layer: -2,
  vision_feature_select_strategy: "default",
  projector_hidden_act: "gelu",
  multimodal_projector_bias: true,
};

/** The vision tower of a LLaVA that says nothing of it: OpenAI's CLIP ViT-L/14 at 336 pixels. */
const large = { hidden_size: 1024, intermediate_size: 4096, num_hidden_layers: 24, num_attention_heads: 16, image_size: 336, patch_size: 14 };

const within =
  (key: string) =>
  <A>(part: E.Either<string, A>): E.Either<string, A> =>
    E.mapLeft((detail: string) => `${key}: ${detail}`)(part);

const decodeVision = (json: unknown): E.Either<string, VisionConfig> => {
  const { model_type: type = "clip_vision_model" } = record(json);
  if (type !== "clip_vision_model") return E.left(`model_type is ${printed(type)}, and the vision tower of CLIP (clip_vision_model) is what is read`);
  return pipe(
    decodeKeys(rawVision, { ...visionDefaults, ...(json === undefined ? large : withoutNulls(json)) }),
    E.map(visionOf),
    E.chain((vision) => {
      const fault = faultOfVision(vision);
      return fault === undefined ? E.right(vision) : E.left(fault);
    }),
  );
};

/** The language half; `tie_word_embeddings` and `pad_token_id` may stand beside it. */
const decodeText = (json: unknown, top: Readonly<Record<string, unknown>>): E.Either<string, LanguageConfig> => {
  const keys = withoutNulls(json);
  const { model_type: family = "llama" } = keys;
  if (!isFamily(family)) return E.left(`model_type is ${printed(family)}, and llama and qwen2 are read`);
  const pad = top.pad_token_id === undefined ? {} : { pad_token_id: top.pad_token_id };
  return decodeLanguage(family, { ...keys, ...pad, tie_word_embeddings: keys.tie_word_embeddings === true || top.tie_word_embeddings === true });
};

/** The number of blocks before the selected layer, which counts from the embeddings on, or, where it is negative, from the last block back. */
const depthOf = (layer: number, { layers }: VisionConfig): E.Either<string, number> => {
  const depth = layer < 0 ? layers + 1 + layer : layer;
  return depth >= 0 && depth <= layers
    ? E.right(depth)
    : E.left(`vision_feature_layer is ${layer}, and the vision tower has the layers 0 to ${layers}, or -1 to ${-layers - 1}`);
};

/** The LLaVA that a `config.json` describes; the left side says what is wrong. */
export const decodeLlava = (json: unknown): E.Either<string, LlavaConfig> => {
  const { image_token_id: id, ...top } = withoutNulls(json);
  if (top.model_type !== "llava") return E.left(`model_type is ${typeof top.model_type === "string" ? top.model_type : printed(top.model_type)}, not llava`);
  if (Array.isArray(top.vision_feature_layer)) return E.left("vision_feature_layer is a list, and the features of one layer are read");
  return pipe(
    E.Do,
    E.bind("raw", () => decodeKeys(Raw, { ...defaults, ...(id === undefined ? {} : { image_token_index: id }), ...top })),
    E.bind("vision", () => within("vision_config")(decodeVision(top.vision_config))),
    E.bind("text", () => within("text_config")(decodeText(top.text_config, top))),
    E.bind("visionDepth", ({ raw, vision }) => depthOf(raw.vision_feature_layer, vision)),
    E.chain(({ raw, vision, text, visionDepth }): E.Either<string, LlavaConfig> => {
      const side = vision.imageSize / vision.patchSize;
      if (raw.image_pooling === 2 && (side % 2 === 1 || raw.vision_feature_select_strategy === "full"))
        return E.left(
          `image_pooling is 2, and a picture has ${side} x ${side} patches${side % 2 === 1 ? "" : " and a class token, which has no place among them"}`,
        );
      const imageToken = raw.image_token_index;
      if (imageToken < 0 || imageToken >= text.vocabulary)
        return E.left(`image_token_index is ${imageToken}, and the vocabulary has ${text.vocabulary} tokens`);
      return E.right({
        vision,
        text,
        imageToken,
        visionDepth,
        select: raw.vision_feature_select_strategy,
        projectorActivation: raw.projector_hidden_act,
        projectorBias: raw.multimodal_projector_bias,
        ...(raw.image_pooling === 2 ? { pooled: true as const } : {}),
      });
    }),
  );
};

/** How many tokens of the language model a picture becomes. */
export const tokensOfPicture = ({ vision: { imageSize, patchSize }, select, pooled }: LlavaConfig): number =>
  (imageSize / patchSize / (pooled ? 2 : 1)) ** 2 + (select === "full" ? 1 : 0);

/** The keys that describe a LLaVA. */
export const encodeLlava = (c: LlavaConfig): Record<string, unknown> => ({
  architectures: ["LlavaForConditionalGeneration"],
  model_type: "llava",
  image_token_index: c.imageToken,
  image_seq_length: tokensOfPicture(c),
  // Counted from the end, as everybody writes it.
  vision_feature_layer: c.visionDepth - c.vision.layers - 1,
  vision_feature_select_strategy: c.select,
  projector_hidden_act: c.projectorActivation,
  multimodal_projector_bias: c.projectorBias,
  ...(c.pooled ? { image_pooling: 2 } : {}),
  tie_word_embeddings: c.text.tied,
  pad_token_id: c.text.pad ?? null,
  text_config: encodeLanguage(c.text),
  vision_config: { ...encodeVision(c.vision), attention_dropout: 0, model_type: "clip_vision_model" },
});
