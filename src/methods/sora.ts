/**
 * SoRA: sparse low-rank adaptation (arXiv 2311.11696; METHODS.md H), one task after another. A gated LoRA whose gates a proximal step shrinks from the first
 * step on, with a threshold that rises linearly; CoDyRA comes from it.
 */
import { adapt, evaluate, gradient, merge, pipeline, rankSelect, repeat, scan, selected, softThreshold } from "../stages/index.ts";
import { adapter, codec, objective, schedule } from "./vocabulary.ts";
import { declareMethod, option, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

/** SoRA for a stream. */
export const sora = declareMethod(
  {
    name: "sora",
    title: "SoRA",
    paper: "2311.11696",
    does: "gates with a threshold that rises from the first step",
    options: {
      ...common,
      alpha: option(
        codec.positive,
        ({ rank }: { readonly rank: number }) => rank,
        "The update is scaled by alpha / rank; the rank where it is not given, so that the scale is 1.",
      ),
      kappa: option(codec.nonNegative, 0.0026, "The largest threshold; with 0.0026, our choice, the sum over 500 steps is CoDyRA's."),
      shrink: option(codec.oneOf("paper", "code"), "paper", "The shrink operator, with a dead zone of κ or, in the code, of 2κ.", {
        paper: "paper",
        code: "code",
      }),
    },
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: adapter.gatedLora({ rank: o.rank, modules: o.modules, towers: o.towers, scale: o.alpha / o.rank, gate: adapter.normal(0, 1) }),
          steps: repeat(o.steps, gradient(objective.matching), cosineDescent(o), rankSelect(softThreshold(schedule.rising(o.kappa), { shrink: o.shrink }))),
        }),
        merge(selected),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link sora}. */
export type SoraOptions = OptionsOf<typeof sora>;
