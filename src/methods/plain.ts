/** Plain LoRA training: the baselines are this, and most methods differ from it in one idea. */
import { encode, update, type Graded, type Lesson, type StepStage, type TaskStage, type Trainee, type WithBatches } from "../stages/index.ts";
import { codec, data, optimizer, schedule } from "./vocabulary.ts";
import { option, scoring, type Values } from "./declare.ts";

/** Options that nearly every method has. */
export const common = {
  steps: option(codec.perTask(codec.length), 500, "Steps or epochs a task."),
  batch: option(codec.batch, 64, "Images a batch."),
  rank: option(codec.rank, 16, "Rank of every adapter."),
  lr: option(codec.perTask(codec.rate), 5e-4, "Peak learning rate of AdamW, which falls by a cosine."),
  betas: option(codec.betas, [0.9, 0.9999], "The decay of AdamW's two means."),
  weightDecay: option(codec.nonNegative, 0, "Weight decay of AdamW."),
  modules: option(codec.modules, "all", "Kinds of layers that get adapters."),
  towers: option(codec.towers, "all", "Towers that get adapters."),
  cropScale: option(codec.share, 0.9, "The smallest area of the random resized crop."),
  evaluate: scoring(),
} as const;

/** Values of {@link common}. */
type Common = Values<typeof common>;

/** How images are augmented beside the crop, where a method leaves that open. */
export const pictureOptions = {
  flip: option(codec.truth, false, "Whether images are mirrored, left to right, at random."),
  interpolation: option(codec.oneOf("bicubic", "bilinear"), "bicubic", "How random crops are resized."),
} as const;

type Pictures = Partial<Values<typeof pictureOptions>>;

const augmentation = ({ cropScale, flip = false, interpolation = "bicubic" }: Pick<Common, "cropScale"> & Pictures): data.Augment => {
  const crop = data.randomResizedCrop(cropScale, 1, { resampling: interpolation });
  return flip ? data.flipped(crop) : crop;
};

/** Batches of randomly cropped images and the texts of the task's classes, or of questions with their answers; a share of them may be kept ones. */
export const croppedBatches = (
  { batch, steps, ...pictures }: Pick<Common, "batch" | "steps" | "cropScale"> & Pictures,
  replay = 0,
): TaskStage<Lesson, Lesson & WithBatches> => encode({ batch, steps, replay, augment: augmentation(pictures) });

/** A step of AdamW under a rate that falls by a cosine, from a peak that may depend on the task. */
export const cosineDescent = ({ lr, betas, weightDecay }: Pick<Common, "lr" | "betas" | "weightDecay">): StepStage<Graded, Trainee> =>
  update(optimizer.adamW({ lr: schedule.byTask(lr, schedule.cosine), betas, weightDecay }));
