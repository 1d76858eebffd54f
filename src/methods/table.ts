/** Every method by the name that commands and results call it by. */
import type { Method } from "../stages/learn.ts";
import { joint, sequentialLora, zeroShot, type LoraMethodOptions } from "./baselines.ts";
import { cLora, type CLoraOptions } from "./cLora.ts";
import { codyra, type CodyraOptions } from "./codyra.ts";
import { dac, type DacOptions } from "./dac.ts";
import { duallora, type DualLoraOptions } from "./duallora.ts";
import { infLora, type InfLoraOptions } from "./infLora.ts";
import { keeplora, keeploraPlus, keeploraPlusPlus, type KeepLoraOptions } from "./keeplora.ts";
import { oLora, type OLoraOptions } from "./oLora.ts";
import { sdLora, type SdLoraOptions } from "./sdLora.ts";
import { sora, type SoraOptions } from "./sora.ts";

/** Options of any method; each takes those that it knows. */
export type MethodOptions = LoraMethodOptions &
  CodyraOptions &
  KeepLoraOptions &
  DacOptions &
  DualLoraOptions &
  OLoraOptions &
  InfLoraOptions &
  SdLoraOptions &
  CLoraOptions &
  SoraOptions;

/** One line a method. */
const table = {
  "zero-shot": zeroShot,
  "sequential-lora": sequentialLora,
  joint: joint,
  codyra: codyra,
  keeplora: keeplora,
  "keeplora++": keeploraPlusPlus,
  "keeplora+": keeploraPlus,
  dac: dac,
  duallora: duallora,
  "o-lora": oLora,
  inflora: infLora,
  "sd-lora": sdLora,
  "c-lora": cLora,
  sora: sora,
} as const satisfies Readonly<Record<string, (options: MethodOptions) => Method>>;

/** The name of a method. */
export type MethodName = keyof typeof table;

/** All methods by name. */
export const methods: Readonly<Record<MethodName, (options?: MethodOptions) => Method>> = table;
