/** How a method descends, where it is to be trained as its authors trained it: with an optimiser and a schedule of their own. */
import { update, type Graded, type StepStage, type Trainee } from "../stages/index.ts";
import { codec, optimizer, schedule, type PerTask } from "./vocabulary.ts";
import { option, type Values } from "./declare.ts";
import type { common } from "./plain.ts";

/** The options of {@link descent}, behind those that nearly every method has. */
export const descentOptions = {
  optimizer: option(codec.oneOf("adam", "sgd"), "adam", "The optimiser: AdamW, or gradient descent."),
  momentum: option(codec.below1, 0, "Momentum of gradient descent."),
  headLr: option(codec.perTask(codec.rate), ({ lr }: { readonly lr: PerTask<number> }) => lr, "The learning rate of a ViT's head; `lr` where it is not given."),
  lrSchedule: option(
    codec.oneOf("cosine", "quarter-cosine", "milestones", "constant"),
    "cosine",
    "How the rates fall: by a cosine from step to step, by a quarter of one from epoch to epoch, at `milestones`, or not.",
  ),
  milestones: option(codec.naturals, [], "The epochs, counted from 0, with which the rates fall."),
  decay: option(codec.share, 0.1, "What the rates are multiplied with at a milestone."),
} as const;

type DescentOptions = Values<typeof descentOptions> & Values<Pick<typeof common, "steps" | "lr" | "betas" | "weightDecay">>;

/** A rate as it falls from its peak. */
const falling = ({ lrSchedule: how, steps, milestones, decay }: DescentOptions): ((peak: number) => schedule.ScheduleOf) => {
  if (how === "quarter-cosine") return (peak) => schedule.byEpoch(steps, schedule.quarterCosine(peak));
  if (how === "milestones") return (peak) => schedule.byEpoch(steps, schedule.milestones(peak, milestones, decay));
  return how === "constant" ? schedule.constantly : schedule.cosine;
};

/** A step of the optimiser on everything that is trained, under a rate of its own on a ViT's head. */
export const descent = (o: DescentOptions): StepStage<Graded, Trainee> => {
  const at = (peak: PerTask<number>) => {
    const lr = schedule.byTask(peak, falling(o));
    const { betas, weightDecay, momentum } = o;
    return o.optimizer === "adam" ? optimizer.adamW({ lr, betas, weightDecay }) : optimizer.sgd({ lr, momentum, weightDecay });
  };
  return update(at(o.lr), { head: at(o.headLr) });
};
