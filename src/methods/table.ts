/** Every method by the name that commands and results call it by. */
import type { Method } from "../stages/learn.ts";
import { joint, sequentialLora, zeroShot, type LoraMethodOptions } from "./baselines.ts";
import { codyra, type CodyraOptions } from "./codyra.ts";

/** Options of any method; each takes those that it knows. */
export type MethodOptions = LoraMethodOptions & CodyraOptions;

/** One line a method. */
export const methods = {
  "zero-shot": zeroShot,
  "sequential-lora": sequentialLora,
  "joint": joint,
  "codyra": codyra,
} as const satisfies Readonly<Record<string, (options: MethodOptions) => Method>>;

/** The name of a method. */
export type MethodName = keyof typeof methods;
