/**
 * What flows at the scale of a step: a trainee, its parameters and optimiser state as symbolic tensors.
 */
import { imageFeatures, textFeatures } from "../model/clip.ts";
import type { Scope } from "../model/transformer.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { floats, indices, type Tensor } from "../tensor/tensor.ts";
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { HostRecord } from "../tensor/executable.ts";
import type { Layout } from "../tensor/layout.ts";
import type { Tracing } from "./tracing.ts";

/** A group of parameters: their layout in one flat tensor, that tensor, and its views by name. */
export interface Group {
  readonly layout: Layout;
  readonly flat: Tensor;
  readonly views: ReadonlyMap<string, Tensor>;
}

/** A trainee before a step, or between two stages of one. */
export interface Trainee {
  readonly groups: Readonly<Record<string, Group>>;
  /** New values of state that stages keep besides the parameters: moments, counters. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** The model with the parameters before the step. */
  readonly scope: Scope;
  readonly batch: BatchShape;
}

/** A trainee whose gradients are known: for every group, one flat tensor in its layout. */
export interface Graded extends Trainee {
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** The shape of a batch: images, and texts of a common length. */
export interface BatchShape {
  readonly images: number;
  readonly texts: number;
  readonly length: number;
  /** Classes of earlier tasks: they count in means over all classes (METHODS.md A.3). */
  readonly previous: number;
}

/** Batches of one shape, in any order: `at(step)` gives pixels, ids, ends, targets and transposedTargets, or only those that changed since the step before. */
export interface TrainingBatches {
  readonly shape: BatchShape;
  readonly at: (step: number) => TE.TaskEither<Failure, HostRecord>;
}

/** What an objective is a function of: unit features, the logit scale, and the soft targets [images, texts]. */
export interface Encoded {
  readonly images: Tensor;
  readonly texts: Tensor;
  readonly logitScale: Tensor;
  readonly targets: Tensor;
  readonly transposedTargets: Tensor;
  readonly batch: BatchShape;
}

/** Encodes the batch with the trainee's model. */
export const encodeBatch = ({ scope, batch }: Trainee, tracing: Tracing): Encoded => {
  const { config } = tracing;
  const { images, texts, length } = batch;
  const { channels, imageSize } = config.vision;
  return {
    batch,
    images: normalize(imageFeatures(scope, config, tracing.batch("pixels", floats([images, channels, imageSize, imageSize])))),
    texts: normalize(textFeatures(scope, config, tracing.batch("ids", indices([texts, length])), tracing.batch("ends", indices([texts])))),
    logitScale: scope.param("logit_scale"),
    targets: tracing.batch("targets", floats([images, texts])),
    transposedTargets: tracing.batch("transposedTargets", floats([texts, images])),
  };
};
