/** The namespace `model`: CLIP and ViT folders, configurations, parameters, layers and texts. */
export { isClip, readModel, writeModel } from "./model.ts";
export type { Model } from "./model.ts";
export { readClip, writeClip } from "./folder.ts";
export type { Clip, WriteModelOptions } from "./folder.ts";
export { readVit, writeVit } from "./vit.ts";
export type { Vit } from "./vit.ts";
export { decodeConfig, decodeVitConfig, encodeConfig, encodeVitConfig, hasText } from "./config.ts";
export type { Activation, ClipConfig, ModelConfig, TextConfig, TowerConfig, VisionConfig, VitConfig } from "./config.ts";
export { allLinears, attentionLinears, both, initialParameters, modules, parameters } from "./parameters.ts";
export type { Module, ModuleKind, Tower } from "./parameters.ts";
export { imageFeatures, textBatch, textFeatures } from "./clip.ts";
export type { TextBatch } from "./clip.ts";
export type { Bound, Branch } from "./branch.ts";
export { plainScope } from "./transformer.ts";
export type { Scope } from "./transformer.ts";
export { frozenParameters } from "./frozen.ts";
export { readTokenizer, tokenise } from "./tokenizer.ts";
export type { Tokenizer, Tokens } from "./tokenizer.ts";
