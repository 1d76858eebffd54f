/** The namespace `objective`: losses of batches with labels, and of views without. */
export * from "./objective.ts";
export { maskedReconstruction, meanEntropy } from "./viewLosses.ts";
