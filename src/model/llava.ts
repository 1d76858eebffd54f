/** LLaVA (Liu et al., arXiv 2304.08485 and 2310.03744): the patches of pictures, projected, as tokens among those of a language model. */
import { clipPreprocess } from "../data/preprocess.ts";
import { add, gelu, quickGelu, scale } from "../tensor/ops/elementwise.ts";
import { replaceRows } from "../tensor/ops/replaceRows.ts";
import { slice } from "../tensor/ops/window.ts";
import { floats, indices, reshape, type Tensor } from "../tensor/tensor.ts";
import { lazily, type Architecture, type ForwardArguments } from "./architecture.ts";
import { linears } from "./blocks.ts";
import { clipVisionLayers, clipVisionParameters, clipVisionTokens } from "./clipVision.ts";
import { configCodec } from "./config.ts";
import { decoderLinears } from "./decoderBlocks.ts";
import {
  embedTokens,
  languageDerived,
  languageInputs,
  languageLayers,
  languageOutputs,
  languageParameters,
  languageProjections,
  type LanguageNames,
  type LanguageOutputs,
} from "./languageModel.ts";
import { decodeLlava, encodeLlava, tokensOfPicture, type LlavaConfig } from "./llavaConfig.ts";
import type { Layer, Linear, Parameter } from "./network.ts";

/** What a LLaVA gives. */
export interface LlavaOutputs extends LanguageOutputs {
  /** The selected features of pictures: [images, tokens, width of the vision tower]. */
  readonly visionTokens: Tensor;
  /** What the projector makes of them: [images, tokens, width]. */
  readonly imageTokens: Tensor;
}

/** The names are those that versions of transformers before the fifth write, and that all versions read. */
const visionAt = "vision_tower.vision_model";
const projectorAt = "multi_modal_projector";
const textNames: LanguageNames = { model: "language_model.model", head: "language_model.lm_head" };

/** What names begin with in other files, those of transformers 5 among them, and what stands there here. */
const prefixes = {
  "vision_tower.": "vision_tower.vision_model.",
  "vision_tower.vision_model.": "vision_tower.vision_model.",
  "model.vision_tower.": "vision_tower.vision_model.",
  "model.vision_tower.vision_model.": "vision_tower.vision_model.",
  "model.multi_modal_projector.": "multi_modal_projector.",
  "model.language_model.": "language_model.model.",
  "lm_head.": "language_model.lm_head.",
};

/** What transformers 5 calls a layer of a model that it has loaded. */
const aliased = <L extends Linear>(layer: L): L => ({
  ...layer,
  alias: layer.name
    .replace(/^vision_tower\.vision_model\./, "model.vision_tower.")
    .replace(/^multi_modal_projector\./, "model.multi_modal_projector.")
    .replace(/^language_model\.model\./, "model.language_model.")
    .replace(/^language_model\.lm_head$/, "lm_head"),
});

/** The two layers of the projector. */
const projectorLayers = ({ vision, text, projectorBias: bias }: LlavaConfig): readonly Layer[] => [
  { name: `${projectorAt}.linear_1`, tower: "projector", kind: "linear1", in: vision.width, out: text.width, bias, depth: 0 },
  { name: `${projectorAt}.linear_2`, tower: "projector", kind: "linear2", in: text.width, out: text.width, bias, depth: 1 },
];

const parameters = (config: LlavaConfig): readonly Parameter[] => [
  ...clipVisionParameters(visionAt, config.vision),
  ...projectorLayers(config).flatMap(({ name, in: columns, out, bias }): readonly Parameter[] => [
    { name: `${name}.weight`, shape: [out, columns], initial: { deviation: columns ** -0.5 } },
    ...(bias ? [{ name: `${name}.bias`, shape: [out], initial: { value: 0 } }] : []),
  ]),
  ...languageParameters(textNames, config.text),
];

/** Those that are computed: what stands behind the selected layer of the vision tower is kept in its file, and adapters have no part in it. */
const layers = (config: LlavaConfig): readonly Layer[] =>
  [...clipVisionLayers(visionAt, config.vision, config.visionDepth), ...projectorLayers(config), ...languageLayers(textNames, config.text)].map(aliased);

const projections = (config: LlavaConfig): readonly Linear[] =>
  [...clipVisionLayers(visionAt, config.vision).filter(({ depth }) => depth >= config.visionDepth), ...languageProjections(textNames, config.text)].map(
    ({ name, in: columns, out }) => aliased({ name, in: columns, out }),
  );

const visionTokens = ({ scope, config: { vision, visionDepth, select }, input }: ForwardArguments<LlavaConfig>): Tensor => {
  const tokens = clipVisionTokens(scope, visionAt, vision, input("pixels"), { depth: visionDepth });
  return select === "full" ? tokens : slice(tokens, 1, 1, tokens.shape[1] - 1);
};

/** The means of tokens [images, side², width], 2 x 2 neighbours at a time: [images, side² / 4, width]. */
const pooled = (tokens: Tensor, side: number): Tensor => {
  const [images, count, width] = tokens.shape;
  const pairs = (x: Tensor, rows: number, columns: number): Tensor => {
    const paired = reshape(x, [rows, 2, columns]);
    return add(slice(paired, 1, 0, 1), slice(paired, 1, 1, 1));
  };
  const summed = pairs(pairs(tokens, (images * side) / 2, side * width), (images * count) / 4, width);
  return reshape(scale(summed, 1 / 4), [images, count / 4, width]);
};

const forward = (args: ForwardArguments<LlavaConfig>): LlavaOutputs => {
  const { scope, config, input } = args;
  const embedded = (): Tensor => {
    const own = embedTokens(scope, textNames, input("ids"));
    // A batch of texts alone asks for nothing of pictures.
    if (input("pixels").shape[0] === 0) return own;
    const [count, tokens, width] = out.imageTokens.shape;
    return replaceRows(own, reshape(out.imageTokens, [count * tokens, width]), input("picks"));
  };
  const language = languageOutputs({ ...args, config: config.text }, textNames, embedded);
  const activation = config.projectorActivation === "gelu" ? gelu : quickGelu;
  const out: LlavaOutputs = lazily<LlavaOutputs>({
    visionTokens: () => visionTokens(args),
    imageTokens: () => {
      const tokens = scope.linear(`${projectorAt}.linear_2`, activation(scope.linear(`${projectorAt}.linear_1`, out.visionTokens)));
      return config.pooled ? pooled(tokens, config.vision.imageSize / config.vision.patchSize) : tokens;
    },
    hidden: () => language.hidden,
    logits: () => language.logits,
    logLikelihood: () => language.logLikelihood,
    answerLoss: () => language.answerLoss,
  });
  return out;
};

/**
 * LLaVA as `transformers` names and computes it (LlavaForConditionalGeneration), with a vision tower of CLIP and a language model of Llama's kind. It continues
 * texts with pictures in them.
 */
export const llava: Architecture<LlavaConfig, LlavaOutputs> = {
  name: "llava",
  config: configCodec("a LLaVA configuration", decodeLlava, encodeLlava),
  parameters,
  layers,
  projections,
  kinds: [...new Set([...linears, "linear1", "linear2", ...decoderLinears])],
  towers: {
    vision: { inputs: ["pixels"], output: "visionTokens" },
    projector: { inputs: ["pixels"], output: "imageTokens", connects: true },
    language: { inputs: ["ids", "starts", "pixels", "picks"], output: "hidden" },
  },
  width: ({ text }) => text.width,
  prefixes,
  derived: languageDerived,
  inputs: ({ vision: { channels, imageSize } }, size) => ({
    ...languageInputs(size),
    pixels: floats([size.images, channels, imageSize, imageSize]),
    picks: indices([size.texts, size.length]),
  }),
  images: { size: ({ vision }) => vision.imageSize, preprocess: clipPreprocess },
  forward,
  decoder: {
    context: ({ text }) => text.context,
    vocabulary: ({ text }) => text.vocabulary,
    chat: "vicuna",
    pictures: { token: ({ imageToken }) => imageToken, tokens: tokensOfPicture },
  },
};
