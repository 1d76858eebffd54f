/** The namespace `subspace`: what `project` computes and remembers, and the losses and directions that follow from it. */
export { extended, featureBasis, growing, principalWeights, remember, remembered, rowSpan, share } from "./bases.ts";
export type { Bases, GramEnergy, EnergyThreshold, FeatureBasisOptions, PrincipalWeightsOptions } from "./bases.ts";
export { residualGradient, residualInputs } from "./directions.ts";
export type { ResidualGradientOptions, ResidualInputsOptions } from "./directions.ts";
export { gradientBasis } from "./gradients.ts";
export type { GradientBasisOptions, GradientOptions } from "./gradients.ts";
export { describeInputs, inputGrams } from "./inputs.ts";
export type { Grams, InputOptions } from "./inputs.ts";
export { everyComponent, largestGates, mostVoted, overlap } from "./overlap.ts";
export type { Critical, OverlapOptions } from "./overlap.ts";
export { past, pastOf } from "./past.ts";
export type { Factor, Past } from "./past.ts";
export type { StepProjection, TaskProjection } from "./projection.ts";
export { classMeans } from "./prototypes.ts";
export type { WithPrototypes } from "./prototypes.ts";
