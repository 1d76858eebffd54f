/**
 * CoDyRA: dynamic rank-selective LoRA (arXiv 2412.01004; METHODS.md A).
 *
 * Every linear layer of both towers gets a LoRA whose rank-1 components have a gate each. A task is first learned densely; then a proximal step
 * shrinks the gates towards zero, with a threshold that ramps up, so that every layer keeps the ranks that the task needs. What is
 * left is merged, and the next task starts with fresh adapters. No replay, no router, no task id.
 */
import { adapt, evaluate, gradient, merge, pipeline, rankSelect, repeat, scan, selected, softThreshold } from "../stages/index.ts";
import { adapter, codec, model, objective, schedule } from "./vocabulary.ts";
import { declareMethod, option, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { steps, batch, rank, lr, betas, weightDecay, ...where } = common;

/** CoDyRA; the defaults are those of the authors' launch script (METHODS.md A.6). */
export const codyra = declareMethod(
  {
    name: "codyra",
    title: "CoDyRA",
    paper: "2412.01004",
    does: "gates for every rank, shrunk towards zero: a task keeps the ranks that it needs",
    options: {
      ...{ steps, batch, rank, lr, betas, weightDecay },
      kappa: option(codec.nonNegative, 0.005, "The largest threshold, κ_max."),
      levels: option(codec.several, 50, "Levels of the threshold's ramp."),
      dense: option(codec.below1, 0.5, "The part of the steps that trains without a threshold."),
      scaleThreshold: option(
        codec.truth,
        true,
        "Whether the sum of all thresholds is that of 500 steps for any number of steps; in the code a training of fewer than 100 never shrinks.",
      ),
      shrink: option(codec.oneOf("paper", "code"), "paper", "The shrink operator, with a dead zone of κ or, in the code, of 2κ.", {
        paper: "paper",
        code: "code",
      }),
      ...where,
    },
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: adapter.gatedLora({ rank: o.rank, modules: o.modules, towers: o.towers, gate: adapter.normal(0, 1) }),
          steps: repeat(
            o.steps,
            // Where the text tower alone is adapted, the authors train on the images' loss alone.
            gradient(model.chooses(o.towers, "vision") ? objective.matching : objective.unlessAnswers(objective.imageToText)),
            cosineDescent(o),
            rankSelect(softThreshold(schedule.ramp(o.kappa, { dense: o.dense, levels: o.levels, scaled: o.scaleThreshold }), { shrink: o.shrink })),
          ),
        }),
        merge(selected),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link codyra}. */
export type CodyraOptions = OptionsOf<typeof codyra>;
