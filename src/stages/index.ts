/** The namespace `stage`: the arrow, its composition, the six verbs, and what flows through them. */
export { compose, identity, manifest, named, pipeline, stepStage, taskStage } from "./stage.ts";
export type { Effects, Manifest, Scale, Stage, StepStage, TaskStage } from "./stage.ts";
// At the scale of a stream.
export { method, scan, skip } from "./learn.ts";
export { pool } from "./pool.ts";
export type { Course, Method } from "./learn.ts";
// At the scale of a task: the six verbs.
export { adapt } from "./adapt.ts";
export type { AdaptOptions, Provided } from "./adapt.ts";
export { encode } from "./encode.ts";
export type { EncodeOptions } from "./encode.ts";
export { accuracies, evaluate } from "./evaluate.ts";
export type { EvaluateOptions } from "./evaluate.ts";
export type { Calibration, Inference } from "./inference.ts";
export type { Adaptation } from "./adaptation.ts";
export { testTimeTraining } from "./testTime.ts";
export type { TestTimeOptions } from "./testTime.ts";
export { merge } from "./merge.ts";
export type { Interpolation, MergeOptions } from "./merge.ts";
export { all, branch, mostUsed, selected } from "../subspace/selection.ts";
export type { Selection } from "../subspace/selection.ts";
export { prompts, targets } from "./captions.ts";
export { keepAdapters } from "./keepAdapters.ts";
export { keepExamples } from "./keepExamples.ts";
export { keepPrototypes, prototypes } from "./keepPrototypes.ts";
export type { TaskPrototypes } from "./keepPrototypes.ts";
export { ensemble } from "./scores.ts";
export { outOf, project, rowsOutOf, startingOutside } from "./project.ts";
export type { StartingOutsideOptions } from "./project.ts";
export { batchVote, magnitude, rankSelect, softThreshold } from "./rankSelect.ts";
export type { BatchVoteOptions, SoftThresholdOptions, StepSelector, TaskSelector } from "./rankSelect.ts";
// At the scale of a step.
export { averageWeights } from "./averageWeights.ts";
export { dropout, gradient, repeat, update } from "./steps.ts";
export type { GradientOptions, Steps } from "./steps.ts";
export { blended, sharpnessAware, withoutConflict } from "./sharpness.ts";
export type { SharpnessOptions, Steering } from "./sharpness.ts";
export { withFlat } from "../training/trainee.ts";
export type { Length } from "../training/schedule.ts";
// What flows through stages, and what they run in.
export { learner } from "../model/learner.ts";
export type { Learner } from "../model/learner.ts";
export { memory } from "../model/memory.ts";
export type { Memory } from "../model/memory.ts";
export { train } from "../training/train.ts";
export type { Checkpoint, Keeper, Training } from "../training/keeper.ts";
export type { TrainOptions } from "../training/train.ts";
export type {
  Answers,
  Attached,
  Evaluated,
  Lesson,
  MaybeMerged,
  Merged,
  Probed,
  Report,
  Scored,
  Trained,
  WithAdapters,
  WithBatches,
  WithDirections,
} from "../training/lesson.ts";
export type { Event, Runtime } from "../training/runtime.ts";
export type { Told } from "../training/told.ts";
export type { Tracing } from "../training/tracing.ts";
export type { Encoded, Graded, Group, Trainee, TrainingBatches } from "../training/trainee.ts";
