/**
 * GLAD: generalizable LoRA tuning with regularised gradients (arXiv 2507.13089; METHODS.md H), one task after another. A plain LoRA whose gradient is steered
 * by the one of sharpness-aware minimisation, towards parameters around which the loss is flat.
 */
import { adapt, blended, evaluate, merge, pipeline, repeat, scan, sharpnessAware, withoutConflict } from "../stages/index.ts";
import { adapter, codec, objective } from "./vocabulary.ts";
import { declareMethod, option, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { evaluate: scored, ...trained } = common;

/** GLAD for a stream. The authors' code is not public, and their numbers were not found: what is not said in the abstract and the figure is ours. */
export const glad = declareMethod(
  {
    name: "glad",
    title: "GLAD",
    paper: "2507.13089",
    does: "a LoRA whose gradient is steered towards flat directions",
    options: {
      ...trained,
      rho: option(
        codec.positive,
        0.05,
        "How far along the gradient the sharpest point is looked for; our choice, the default of sharpness-aware minimisation.",
      ),
      steer: option(
        codec.oneOf("mix", "project"),
        "mix",
        "How the gradient there steers: mix takes a share of it, project takes what points against it out of the own one; our choice.",
      ),
      share: option(codec.share, 0.5, "Of mix, the share of the gradient there; our choice."),
      evaluate: scored,
    },
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
          steps: repeat(
            o.steps,
            sharpnessAware(objective.matching, { rho: o.rho, steering: o.steer === "mix" ? blended(o.share) : withoutConflict }),
            cosineDescent(o),
          ),
        }),
        merge(),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link glad}. */
export type GladOptions = OptionsOf<typeof glad>;
