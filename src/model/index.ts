/** The namespace `model`: architectures, their networks and layers, and models as values and as folders. */
export { chooses, layersOf, lazily, network, towersOf } from "./architecture.ts";
export type {
  Architecture,
  BatchSize,
  ForwardArguments,
  Layer,
  LayerChoice,
  Network,
  Outputs,
  Parameter,
  Readout,
  Tower,
} from "./architecture.ts";
export { attentionLinears, blockLayers, blockParameters, encoder, normParameters } from "./blocks.ts";
export type { Activation, BlockNames, BlockOptions, TowerConfig } from "./blocks.ts";
export type { Bound, Branch } from "./branch.ts";
export { clip } from "./clip.ts";
export type { ClipConfig, ClipOutputs, TextConfig } from "./clip.ts";
export { configCodec, decodeConfig, decodeKeys } from "./config.ts";
export type { VisionConfig } from "./config.ts";
export { architectures, networkOf, outputsOf, readModel, readModelAs, writeModel } from "./model.ts";
export type { Clip, Model, ReadModelOptions, WriteModelOptions } from "./model.ts";
export { frozenScope, norm, plainScope } from "./scope.ts";
export type { Scope } from "./scope.ts";
export { readTokenizer, textBatch, tokenise } from "./tokenizer.ts";
export type { TextBatch, Tokenizer, Tokens } from "./tokenizer.ts";
export { vit } from "./vit.ts";
export type { VitConfig, VitOutputs } from "./vit.ts";
export { initialModel, initialWeights } from "./weights.ts";
