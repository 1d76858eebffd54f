/** The options of methods. */
import type { EvaluateOptions } from "../stages/evaluate.ts";

/** Options with their defaults filled in; how a method is scored may stay open. */
export type Complete<O extends { readonly evaluate?: EvaluateOptions }> = Required<Omit<O, "evaluate">> & Pick<O, "evaluate">;
