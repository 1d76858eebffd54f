/** The namespace `adapter`: what can be attached to the layers of a model and trained. */
export { trainableParameters } from "./adapter.ts";
export type { Adapter, Forward, GroupValues, GroupViews, Head } from "./adapter.ts";
export { allParameters } from "./allParameters.ts";
export { cosineHead, linearHead } from "./heads.ts";
export { constantGate, depthScale, expertPool, gatedLora, lora, normal } from "./lora.ts";
export type { DepthScaleOptions, Directions, FrozenA, GatedLoraOptions, GateInit, LoraOptions, ModuleDirections, Scale } from "./lora.ts";
export { parallel } from "./parallel.ts";
export type { AdapterBranches, BranchGroups, TrainedBranchGroups } from "./parallel.ts";
