/** The words that methods are written in: one namespace for each room of the house that a composition draws from. */
export * as adapter from "../model/adapters/index.ts";
export * as codec from "./codecs.ts";
export * as data from "../data/index.ts";
export * as formats from "../formats/index.ts";
export * as linalg from "../linalg/linalg.ts";
export * as model from "../model/index.ts";
export * as objective from "../training/losses.ts";
export * as optimizer from "../training/optimizer.ts";
export * as schedule from "../training/schedule.ts";
export type { PerTask } from "../training/schedule.ts";
export * as stage from "../stages/index.ts";
export * as subspace from "../subspace/index.ts";
export * as tensor from "../tensor/language.ts";
