/** A language model around its blocks: the embedding of tokens, the last norm, and the scores of the next token where they are asked for. */
import { mul } from "../tensor/ops/elementwise.ts";
import { gather } from "../tensor/ops/embedding.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { sum } from "../tensor/ops/reduce.ts";
import { tokenLogLikelihood } from "../tensor/ops/tokenLogLikelihood.ts";
import { floats, indices, reshape, type Spec, type Tensor } from "../tensor/tensor.ts";
import { lazily, type BatchSize, type ForwardArguments } from "./architecture.ts";
import { decode, decoderInitial, decoderLayers, decoderParameters, rms, rmsParameter } from "./decoderBlocks.ts";
import type { LanguageConfig } from "./languageConfig.ts";
import type { Layer, Linear, Parameter } from "./network.ts";
import type { Scope } from "./scope.ts";

/** Where the parts of a language model stand in a file: what is before `embed_tokens`, `layers` and `norm`, and the name of the product at its end. */
export interface LanguageNames {
  readonly model: string;
  readonly head: string;
}

/** What a language model gives. */
export interface LanguageOutputs {
  /** What every token becomes, after the last norm: [texts, length, width]. */
  readonly hidden: Tensor;
  /** The scores of all tokens as the next one, at the chosen positions: [positions, vocabulary]. */
  readonly logits: Tensor;
  /** The log-likelihood of the token that does follow, at the chosen positions: [positions]. */
  readonly logLikelihood: Tensor;
  /** −Σ share · logLikelihood: one number. */
  readonly answerLoss: Tensor;
}

/** The rotary frequencies, which old files hold for every block. */
export const languageDerived = /\.rotary_emb\.inv_freq$/;

/** The inputs of a language model by name. */
export const languageInputs = ({ texts, length, positions = 0 }: BatchSize): Readonly<Record<string, Spec>> => ({
  ids: indices([texts, length]),
  starts: indices([texts]),
  positions: indices([positions]),
  next: indices([positions]),
  share: floats([positions]),
});

/** The parameters of a language model. */
export const languageParameters = ({ model, head }: LanguageNames, config: LanguageConfig): readonly Parameter[] => {
  const table = { shape: [config.vocabulary, config.width], initial: decoderInitial };
  return [
    { name: `${model}.embed_tokens.weight`, ...table },
    ...decoderParameters(`${model}.layers`, config),
    rmsParameter(`${model}.norm`, config.width),
    ...(config.tied ? [] : [{ name: `${head}.weight`, ...table }]),
  ];
};

/** The linear layers of its blocks, in the tower `language`. */
export const languageLayers = ({ model }: LanguageNames, config: LanguageConfig): readonly Layer[] => decoderLayers(`${model}.layers`, config);

/** The product at its end, where it is not the embedding. */
export const languageProjections = ({ head }: LanguageNames, { tied, width, vocabulary }: LanguageConfig): readonly Linear[] =>
  tied ? [] : [{ name: head, in: width, out: vocabulary }];

/** The embeddings of `ids` [texts, length]: [texts, length, width]. */
export const embedTokens = (scope: Scope, { model }: LanguageNames, ids: Tensor): Tensor => gather(scope.param(`${model}.embed_tokens.weight`), ids);

/** What a language model gives for embedded tokens [texts, length, width]. */
export const languageOutputs = (
  { config, scope, input, cache }: ForwardArguments<LanguageConfig>,
  { model, head }: LanguageNames,
  embedded: () => Tensor,
): LanguageOutputs => {
  const out: LanguageOutputs = lazily<LanguageOutputs>({
    hidden: () => rms(scope, `${model}.norm`, decode(scope, `${model}.layers`, embedded(), config, { starts: input("starts"), cache }), config.eps),
    logits: () => {
      const [texts, length, width] = out.hidden.shape;
      const rows = gather(reshape(out.hidden, [texts * length, width]), input("positions"));
      return matmul(rows, scope.param(`${config.tied ? `${model}.embed_tokens` : head}.weight`), { tb: true, exact: true });
    },
    logLikelihood: () => tokenLogLikelihood(out.logits, input("next")),
    answerLoss: () => sum(mul(input("share"), out.logLikelihood), -1),
  });
  return out;
};
