/** Fine-tuning as the comparison of ZSCL has it (arXiv 2303.06628): what LwF, ZSCL and WiSE-FT have in common. */
import { update, type Graded, type StepStage, type Trainee } from "../stages/index.ts";
import { adapter, codec, objective, optimizer, schedule } from "./vocabulary.ts";
import { option, scoring, withDefaults, withMeaning, type Values } from "./declare.ts";
import { common } from "./plain.ts";

const { steps, batch, lr, betas, weightDecay, rank, modules, towers, cropScale } = common;

/** Options of fine-tuning; the defaults are those of the authors' scripts. */
export const fineTuning = {
  ...withDefaults({ steps, batch, betas, weightDecay }, { steps: 1000, betas: [0.9, 0.999] }),
  tuned: option(codec.oneOf("whole", "lora"), "whole", "What is trained: all parameters but the logit scale, or LoRAs, which are ours."),
  lr: option(
    lr.codec,
    ({ tuned }: { readonly tuned: string }) => (tuned === "whole" ? 1e-5 : 5e-4),
    "Peak learning rate of AdamW, which rises on a line and falls by a cosine; 1e-5 where all parameters are trained, 5e-4 with LoRAs.",
  ),
  warmup: option(codec.below1, 0.1, "The share of the steps in which the learning rate rises."),
  smoothing: option(codec.below1, 0.2, "Label smoothing: the share of every target that is spread over all classes."),
  rank: withMeaning(rank, "Rank of every LoRA."),
  modules: withMeaning(modules, "Kinds of layers that get LoRAs."),
  towers: withMeaning(towers, "Towers that get LoRAs."),
  cropScale,
  evaluate: scoring(),
} as const;

/** Values of {@link fineTuning}. */
export type FineTuning = Values<typeof fineTuning>;

/** What is trained: the model itself, or LoRAs on it. */
export const tunedBy = ({ tuned, rank, modules, towers }: Pick<FineTuning, "tuned" | "rank" | "modules" | "towers">): adapter.Adapter<any, any> =>
  tuned === "whole" ? adapter.allParameters({ except: ["logit_scale"] }) : adapter.lora({ rank, modules, towers });

/** Cross-entropy of images over the texts of the task's classes, with smoothed labels. */
export const smoothed = ({ smoothing }: Pick<FineTuning, "smoothing">): objective.Objective => objective.smoothedImageToText(smoothing);

/** A step of AdamW under a rate that rises on a line and falls by a cosine. */
export const warmDescent = ({ lr, betas, weightDecay, warmup }: Pick<FineTuning, "lr" | "betas" | "weightDecay" | "warmup">): StepStage<Graded, Trainee> =>
  update(optimizer.adamW({ lr: schedule.byTask(lr, (peak) => schedule.cosine(peak, { warmup: { share: warmup } })), betas, weightDecay }));
