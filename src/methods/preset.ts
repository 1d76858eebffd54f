/** What a preset is. */
import type { ProtocolOptions } from "../data/checked.ts";
import type { Pixels } from "../data/pixels.ts";
import type { EvaluateOptions } from "../stages/evaluate.ts";
import type { Length } from "../training/schedule.ts";
import type { MethodOptions } from "./table.ts";

/** Options of a method, but for how it is scored. */
export type PresetOptions = Omit<MethodOptions, "evaluate">;

/** How a method is run in a protocol. */
export interface Preset {
  readonly options: PresetOptions;
  readonly evaluate: EvaluateOptions;
  /** Where the method's code has one for this protocol; in others all methods have the same, and with it the same few shots and order of classes. */
  readonly seed?: number;
  readonly firstTemplate?: ProtocolOptions["firstTemplate"];
  readonly classOrder?: ProtocolOptions["classOrder"];
  /** What of a model's preprocessing is to be otherwise. */
  readonly pixels?: Pixels;
  /** Whether the method's own paper or code states the options for this protocol. */
  readonly stated: boolean;
}

/** Epochs for each task. */
export const epochs = (...counts: readonly number[]): readonly Length[] => counts.map((n) => ({ epochs: n }));
