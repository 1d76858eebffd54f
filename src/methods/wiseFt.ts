/**
 * WiSE-FT (arXiv 2109.01903), task after task as in ZSCL's comparison (METHODS.md H.3): the model is fine-tuned, and its weights end between those before the
 * task, or those before the first one, and those behind it.
 */
import { adapt, evaluate, gradient, merge, pipeline, repeat, scan } from "../stages/index.ts";
import { codec, objective, stage } from "./vocabulary.ts";
import { declareMethod, forAnswers, option, type OptionsOf } from "./declare.ts";
import { fineTuning, smoothed, tunedBy, warmDescent } from "./fineTuning.ts";
import { croppedBatches } from "./plain.ts";

const { evaluate: scored, ...tuned } = fineTuning;

/** WiSE-FT: fine-tuning whose weights are interpolated with those before it. */
export const wiseFt = declareMethod(
  {
    name: "wise-ft",
    title: "WiSE-FT",
    paper: "2109.01903",
    does: "fine-tuning whose weights are interpolated with those before the task",
    options: forAnswers(
      {
        ...tuned,
        alpha: option(codec.share, 0.8, "The share of the fine-tuned weights; the rest are those that they are interpolated with."),
        with: option(codec.oneOf("task", "original"), "task", "What the weights are interpolated with: those before the task, or before the first task."),
        evaluate: scored,
      },
      { tuned: "lora" },
    ),
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({ adapters: tunedBy(o), steps: repeat(o.steps, gradient(objective.unlessAnswers(smoothed(o))), warmDescent(o)) }),
        merge(stage.all, { interpolation: { alpha: o.alpha, with: o.with } }),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link wiseFt}. */
export type WiseFtOptions = OptionsOf<typeof wiseFt>;
