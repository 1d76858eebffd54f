/** Every method by the name that commands and results call it by. */
import type { Method } from "../stages/learn.ts";
import { joint, sequentialLora, zeroShot, type LoraMethodOptions } from "./baselines.ts";
import { codyra, type CodyraOptions } from "./codyra.ts";
import { dac, type DacOptions } from "./dac.ts";
import { duallora, type DualLoraOptions } from "./duallora.ts";
import { keeplora, keeploraPlus, keeploraPlusPlus, type KeepLoraOptions } from "./keeplora.ts";

/** Options of any method; each takes those that it knows. */
export type MethodOptions = LoraMethodOptions & CodyraOptions & KeepLoraOptions & DacOptions & DualLoraOptions;

/** One line a method. */
const table = {
  "zero-shot": zeroShot,
  "sequential-lora": sequentialLora,
  "joint": joint,
  "codyra": codyra,
  "keeplora": keeplora,
  "keeplora++": keeploraPlusPlus,
  "keeplora+": keeploraPlus,
  "dac": dac,
  "duallora": duallora,
} as const satisfies Readonly<Record<string, (options: MethodOptions) => Method>>;

/** The name of a method. */
export type MethodName = keyof typeof table;

/** All methods by name. */
export const methods: Readonly<Record<MethodName, (options?: MethodOptions) => Method>> = table;
