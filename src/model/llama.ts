/** Decoders of Llama's kind (Touvron et al., arXiv 2302.13971), and Qwen2's, whose queries, keys and values have biases (Yang et al., arXiv 2407.10671). */
import * as E from "fp-ts/lib/Either.js";
import { printed } from "../formats/json.ts";
import { configCodec, record } from "./config.ts";
import { decoderLinears } from "./decoderBlocks.ts";
import type { Architecture } from "./architecture.ts";
import { decodeLanguage, encodeLanguage, type Family, type LanguageConfig } from "./languageConfig.ts";
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

const names: LanguageNames = { model: "model", head: "lm_head" };

const decode =
  (family: Family) =>
  (json: unknown): E.Either<string, LanguageConfig> => {
    const { model_type: type } = record(json);
    return type === family ? decodeLanguage(family, json) : E.left(`model_type is ${typeof type === "string" ? type : printed(type)}, not ${family}`);
  };

const languageArchitecture = (family: Family, title: string): Architecture<LanguageConfig, LanguageOutputs> => ({
  name: family,
  config: configCodec(`a configuration of ${title}`, decode(family), encodeLanguage),
  parameters: (config) => languageParameters(names, config),
  layers: (config) => languageLayers(names, config),
  projections: (config) => languageProjections(names, config),
  kinds: decoderLinears,
  towers: { language: { inputs: ["ids", "starts"], output: "hidden" } },
  width: ({ width }) => width,
  derived: languageDerived,
  inputs: (_, size) => languageInputs(size),
  forward: (args) => languageOutputs(args, names, () => embedTokens(args.scope, names, args.input("ids"))),
  decoder: { context: ({ context }) => context, vocabulary: ({ vocabulary }) => vocabulary },
});

/** Llama as `transformers` names and computes it (LlamaForCausalLM); SmolLM2 is one. It continues texts. */
export const llama: Architecture<LanguageConfig, LanguageOutputs> = languageArchitecture("llama", "a Llama");

/** Qwen2 as `transformers` names and computes it (Qwen2ForCausalLM). It continues texts. */
export const qwen2: Architecture<LanguageConfig, LanguageOutputs> = languageArchitecture("qwen2", "a Qwen2");
