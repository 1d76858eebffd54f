/** CLIP (Radford et al., arXiv 2103.00020): a vision and a text tower that meet in one space. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { clipPreprocess } from "../data/preprocess.ts";
import type { Failure } from "../failure.ts";
import { printed } from "../formats/json.ts";
import { join } from "../formats/path.ts";
import type { Files } from "../platform/files.ts";
import { exp, mul, add } from "../tensor/ops/elementwise.ts";
import { gather } from "../tensor/ops/embedding.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { slice } from "../tensor/ops/window.ts";
import { floats, indices, reshape, type Tensor } from "../tensor/tensor.ts";
import { lazily, type Architecture, type ForwardArguments } from "./architecture.ts";
import type { Parameter } from "./network.ts";
import { blockLayers, blockParameters, encoder, linears, normParameters, type BlockOptions, type TowerConfig } from "./blocks.ts";
import { clipBlocks, clipVisionLayers, clipVisionParameters, clipVisionTokens, patchesOf } from "./clipVision.ts";
import * as hub from "./config.ts";
import { norm } from "./scope.ts";
import { readTokenizer, textBatch, tokenise, type Tokenizer } from "../formats/tokenizer.ts";

/** The text tower: at most `context` tokens of a vocabulary. */
export interface TextConfig extends TowerConfig {
  readonly vocabulary: number;
  readonly context: number;
  /** The id whose first position is pooled. The value 2 means, as in old configs, the position of the largest id. */
  readonly eosId: number;
}

/** The shape of a CLIP: `embed` is the width of the joint space that both towers are projected into. */
export interface ClipConfig {
  readonly vision: hub.VisionConfig;
  readonly text: TextConfig;
  readonly embed: number;
  readonly initialLogitScale: number;
}

/** What a CLIP gives for images and texts: features before and after they are scaled to unit length, and exp(logit scale) · cos of both. */
export interface ClipOutputs {
  /** [images, embed]. */
  readonly imageFeatures: Tensor;
  /** [texts, embed]. */
  readonly textFeatures: Tensor;
  /** The class tokens behind the last layer norm, before they are projected: [images, width]. */
  readonly classTokens: Tensor;
  /** The same of images of which only the patches are seen that the input `visible` names. */
  readonly maskedClassTokens: Tensor;
  /** Unit rows [images, embed]. */
  readonly imageEmbeds: Tensor;
  /** Unit rows [texts, embed]. */
  readonly textEmbeds: Tensor;
  /** exp(logit scale): one number. */
  readonly logitScale: Tensor;
  /** [images, texts]. */
  readonly logits: Tensor;
  /** [texts, images]. */
  readonly logitsPerText: Tensor;
}

const rawText = t.intersection([
  hub.rawTower,
  t.type({ max_position_embeddings: hub.positive, vocab_size: hub.positive, eos_token_id: t.union([t.Int, t.null]) }),
]);
const rawClip = t.type({ projection_dim: hub.positive, logit_scale_init_value: t.number, text_config: rawText, vision_config: hub.rawVision });

/** What `transformers` assumes where a config is silent. */
const textDefaults = {
  ...hub.towerDefaults,
  hidden_size: 512,
  intermediate_size: 2048,
  num_attention_heads: 8,
  max_position_embeddings: 77,
  vocab_size: 49408,
  eos_token_id: 49407,
};

const decode = (json: unknown): E.Either<string, ClipConfig> => {
  const top = hub.record(json);
  if (top.model_type !== undefined && top.model_type !== "clip")
    return E.left(`model_type is ${typeof top.model_type === "string" ? top.model_type : printed(top.model_type)}, not clip`);
  if (top.text_config === undefined && top.vision_config === undefined) {
    return E.left("has neither text_config nor vision_config: not a CLIP configuration, nor a ViT's, whose model_type is vit");
  }
  return pipe(
    hub.decodeKeys(rawClip, {
      projection_dim: 512,
      logit_scale_init_value: 2.6592,
      ...hub.withoutNulls(top),
      text_config: { ...textDefaults, ...hub.withoutNulls(top.text_config), ...hub.withoutNulls(top.text_config_dict) },
      vision_config: { ...hub.visionDefaults, ...hub.withoutNulls(top.vision_config), ...hub.withoutNulls(top.vision_config_dict) },
    }),
    E.chain(({ text_config: raw, vision_config, projection_dim: embed, logit_scale_init_value: initialLogitScale }) => {
      const text = { ...hub.towerOf(raw), vocabulary: raw.vocab_size, context: raw.max_position_embeddings, eosId: raw.eos_token_id ?? 49407 };
      const vision = hub.visionOf(vision_config);
      const [inText, inVision] = [hub.faultOfTower(text), hub.faultOfVision(vision)];
      if (inText !== undefined) return E.left(`text_config: ${inText}`);
      return inVision === undefined ? E.right({ embed, initialLogitScale, text, vision }) : E.left(`vision_config: ${inVision}`);
    }),
  );
};

const encode = ({ vision, text, embed, initialLogitScale }: ClipConfig): Record<string, unknown> => {
  const common = { attention_dropout: 0, projection_dim: embed };
  return {
    architectures: ["CLIPModel"],
    model_type: "clip",
    projection_dim: embed,
    logit_scale_init_value: initialLogitScale,
    text_config: {
      ...hub.encodeTower(text),
      ...common,
      model_type: "clip_text_model",
      max_position_embeddings: text.context,
      vocab_size: text.vocabulary,
      eos_token_id: text.eosId,
      bos_token_id: text.eosId === 2 ? 0 : text.eosId - 1,
      pad_token_id: 1,
    },
    vision_config: { ...hub.encodeVision(vision), ...common, model_type: "clip_vision_model" },
  };
};

const visionAt = "vision_model";
const textNames = clipBlocks("text", "text_model");
const textBlocks: BlockOptions = { causal: true, qkvBias: true };

const parameters = ({ vision, text, embed, initialLogitScale }: ClipConfig): readonly Parameter[] => {
  const [inVision, inText] = [{ deviation: vision.width ** -0.5 }, { deviation: text.width ** -0.5 }];
  return [
    { name: "logit_scale", shape: [], initial: { value: initialLogitScale } },
    { name: "text_model.embeddings.token_embedding.weight", shape: [text.vocabulary, text.width], initial: { deviation: 0.02 } },
    { name: "text_model.embeddings.position_embedding.weight", shape: [text.context, text.width], initial: { deviation: 0.01 } },
    ...blockParameters(textNames, text, textBlocks),
    ...normParameters("text_model.final_layer_norm", text.width),
    ...clipVisionParameters(visionAt, vision),
    { name: "visual_projection.weight", shape: [embed, vision.width], initial: inVision },
    { name: "text_projection.weight", shape: [embed, text.width], initial: inText },
  ];
};

/** pixels [images, channels, size, size] → [images, width]. */
const classTokens = ({ scope, config: { vision }, input }: ForwardArguments<ClipConfig>, visible?: Tensor): Tensor => {
  const tokens = clipVisionTokens(scope, visionAt, vision, input("pixels"), { visible });
  return norm(scope, `${visionAt}.post_layernorm`, reshape(slice(tokens, 1, 0, 1), [tokens.shape[0], vision.width]), vision.eps);
};

/**
 * ids u32 [texts, length] and, for each text, the row of its end token in the flattened [texts · length] tokens → [texts, embed]. `length` may be shorter
 * than the context: attention is causal, so what stands after the longest text's end token changes nothing.
 */
const textFeatures = ({ scope, config: { text }, input }: ForwardArguments<ClipConfig>): Tensor => {
  const at = "text_model.embeddings";
  const ids = input("ids");
  const [count, length] = ids.shape;
  const positions = scope.param(`${at}.position_embedding.weight`);
  const tokens = add(gather(scope.param(`${at}.token_embedding.weight`), ids), length === text.context ? positions : slice(positions, 0, 0, length));
  const x = norm(scope, "text_model.final_layer_norm", encoder(scope, textNames, tokens, text, textBlocks), text.eps);
  return matmul(gather(reshape(x, [count * length, text.width]), input("ends")), scope.param("text_projection.weight"), { tb: true });
};

const forward = (args: ForwardArguments<ClipConfig>): ClipOutputs => {
  const scaled = (a: Tensor, b: Tensor): Tensor => mul(matmul(a, b, { tb: true }), out.logitScale);
  const out: ClipOutputs = lazily<ClipOutputs>(
    {
      imageFeatures: () => matmul(out.classTokens, args.scope.param("visual_projection.weight"), { tb: true }),
      textFeatures: () => textFeatures(args),
      classTokens: () => classTokens(args),
      maskedClassTokens: () => classTokens(args, args.input("visible")),
      imageEmbeds: () => normalize(out.imageFeatures),
      textEmbeds: () => normalize(out.textFeatures),
      logitScale: () => exp(args.scope.param("logit_scale")),
      logits: () => scaled(out.imageEmbeds, out.textEmbeds),
      logitsPerText: () => scaled(out.textEmbeds, out.imageEmbeds),
    },
    args.given,
  );
  return out;
};

/** A vocabulary must have room for the tokens that stand around every text. */
const tokenizer = (dir: string, { text: { vocabulary } }: ClipConfig, disk: Files): TE.TaskEither<Failure, Tokenizer> =>
  pipe(
    readTokenizer(dir, disk),
    TE.filterOrElse(
      ({ bos, eos, pad: padding }) => Math.max(bos, eos, padding) < vocabulary,
      ({ bos, eos, pad: padding }): Failure => {
        const detail = `vocab_size ${vocabulary} has no room for the tokenizer's id ${Math.max(bos, eos, padding)}`;
        return { _tag: "BadConfig", path: join(dir, "config.json"), detail };
      },
    ),
  );

/** CLIP as `transformers` names and computes it (CLIPModel). Images are classified by exp(logit scale) · cos(image, class text). */
export const clip: Architecture<ClipConfig, ClipOutputs> = {
  name: "clip",
  config: hub.configCodec("a CLIP configuration", decode, encode),
  parameters,
  layers: ({ vision, text }) => [...clipVisionLayers(visionAt, vision), ...blockLayers(textNames, text, textBlocks)],
  projections: ({ vision, text, embed }) => [
    { name: "visual_projection", in: vision.width, out: embed },
    { name: "text_projection", in: text.width, out: embed },
  ],
  kinds: linears,
  towers: { vision: { inputs: ["pixels"], output: "imageFeatures" }, text: { inputs: ["ids", "ends"], output: "textFeatures" } },
  width: ({ embed }) => embed,
  inputs: ({ vision: { channels, imageSize } }, { images, texts, length, visible }) => ({
    pixels: floats([images, channels, imageSize, imageSize]),
    ids: indices([texts, length]),
    ends: indices([texts]),
    ...(visible === undefined ? {} : { visible: indices([images, 1 + visible]) }),
  }),
  images: { size: ({ vision }) => vision.imageSize, preprocess: clipPreprocess, patches: ({ vision }) => patchesOf(vision) },
  texts: {
    tokenizer,
    encode: ({ text }, tokens, texts, length) => textBatch(tokenise(tokens, texts, text.context).ids, text.context, text.eosId, length),
    context: ({ text }) => text.context,
    vocabulary: ({ text }) => text.vocabulary,
  },
  forward,
  readout: { features: "imageFeatures", images: "imageEmbeds", texts: "textEmbeds", scale: (weights) => Math.exp(weights.get("logit_scale")!.data[0]) },
};
