/** The namespace `adapter`: what can be attached to the layers of a model and trained. */
export { trainableParameters } from "./adapter.ts";
export type { Adapter, Forward, GroupValues, GroupViews, Head } from "./adapter.ts";
export { allParameters, wholeLayers } from "./inFull.ts";
export type { AllParametersOptions } from "./inFull.ts";
export { frozenFactors } from "./frozenFactors.ts";
export type { FrozenFactors, FrozenGroup } from "./frozenFactors.ts";
export { cosineHead, linearHead } from "./heads.ts";
export { constantGate, expertPool, gatedLora, lora, normal } from "./lora.ts";
export type { FrozenA, GatedLoraOptions, LoraOptions } from "./lora.ts";
export type { Directions, GateInit, LayerDirections } from "./lowRank.ts";
export { noAdapter } from "./none.ts";
export { depthScale } from "./scale.ts";
export type { DepthScaleOptions, Scale } from "./scale.ts";
export { interpolatedUpdate, livingFactors, mergeUpdate, noUpdate } from "./update.ts";
export type { Factors, Update } from "./update.ts";
export { parallel } from "./parallel.ts";
export type { AdapterBranches, BranchGroups, TrainedBranchGroups } from "./parallel.ts";
