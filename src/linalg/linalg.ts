/** Linear algebra on plain arrays: what is public of it. */
export type { Matrix } from "./check.ts";
export * from "./eigh.ts";
export * from "./energy.ts";
export * from "./extendByEnergy.ts";
export * from "./kMeans.ts";
export * from "./orthonormal.ts";
export * from "./outside.ts";
export * from "./principal.ts";
export { svd } from "./svd.ts";
export type { Side, Svd } from "./svd.ts";
