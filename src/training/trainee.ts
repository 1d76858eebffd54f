/**
 * What flows at the scale of a step: a trainee, its parameters and optimiser state as symbolic tensors.
 */
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Forward } from "../model/adapters/adapter.ts";
import { imageFeatures, textFeatures, type TextBatch } from "../model/clip.ts";
import { hasText } from "../model/config.ts";
import type { Scope } from "../model/transformer.ts";
import type { HostRecord } from "../tensor/executable.ts";
import type { Layout } from "../tensor/layout.ts";
import { exp, mul } from "../tensor/ops/elementwise.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { check, floats, indices, type Tensor } from "../tensor/tensor.ts";
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
  /** The groups that optimisers are given. */
  readonly trained: readonly string[];
  /** New values of state that stages keep besides the parameters: moments, counters. */
  readonly state: Readonly<Record<string, Tensor>>;
  /** What this step does to the forward pass of the adapters. */
  readonly forward: Forward;
  /** The model with the parameters before the step. */
  readonly scope: (forward: Forward) => Scope;
  /** The adapters' part in the logits, where they have one. */
  readonly logits?: (features: Tensor, own: Tensor | undefined) => Tensor;
  readonly batch: BatchShape;
}

/** A trainee whose gradients are known: for every group that the objective depends on, one flat tensor in its layout. */
export interface Graded extends Trainee {
  readonly gradients: Readonly<Record<string, Tensor>>;
}

/** The shape of a batch: images, and texts of a common length. */
export interface BatchShape {
  readonly images: number;
  /** Texts; for a model without a text tower, classes. */
  readonly texts: number;
  readonly length: number;
  /** Classes of earlier tasks: they count in means over all classes (METHODS.md A.3). */
  readonly previous: number;
}

/** Batches of one shape, in any order: `at(step)` gives pixels, ids, ends, targets and transposedTargets; without a text tower no ids and ends. */
export interface TrainingBatches {
  readonly shape: BatchShape;
  /** How many steps they are made for. */
  readonly steps: number;
  /** Whole batches in one walk over the task's images, at least 1: the first so many hold every image at most once. */
  readonly epoch: number;
  /** The prompts of the task's classes at the full context, padding included; none where there is no text. */
  readonly prompts?: TextBatch;
  readonly at: (step: number) => TE.TaskEither<Failure, HostRecord>;
}

/** What an objective is a function of: features, the logits of the batch, and the soft targets [images, texts]. */
export interface Encoded {
  /** Unit features of a CLIP; those of a ViT as they are. */
  readonly images: Tensor;
  /** Unit features; a model without a text tower has none. */
  readonly texts?: Tensor;
  /** exp(logit scale) · cos(image, text), or what a head says: [images, texts]. */
  readonly logits: Tensor;
  /** The same by text, without a head's part: [texts, images]. */
  readonly transposedLogits?: Tensor;
  readonly targets: Tensor;
  readonly transposedTargets: Tensor;
  readonly batch: BatchShape;
  readonly trainee: Trainee;
  readonly tracing: Tracing;
}

/** Encodes the batch with the trainee's model. */
export const encodeBatch = (trainee: Trainee, tracing: Tracing): Encoded => {
  const { config } = tracing;
  const { images: count, texts: classes, length } = trainee.batch;
  const scope = trainee.scope(trainee.forward);
  const { channels, imageSize } = config.vision;
  const features = imageFeatures(scope, config, tracing.batch("pixels", floats([count, channels, imageSize, imageSize])));
  const common = {
    trainee,
    tracing,
    batch: trainee.batch,
    targets: tracing.batch("targets", floats([count, classes])),
    transposedTargets: tracing.batch("transposedTargets", floats([classes, count])),
  };
  if (!hasText(config)) {
    check(trainee.logits !== undefined, "encode", () => "a model without a text tower tells classes apart by a head; train one with linearHead");
    return { ...common, images: features, logits: trainee.logits!(features, undefined) };
  }
  const images = normalize(features);
  const texts = normalize(textFeatures(scope, config, tracing.batch("ids", indices([classes, length])), tracing.batch("ends", indices([classes]))));
  const scale = exp(scope.param("logit_scale"));
  const own = mul(matmul(images, texts, { tb: true }), scale);
  return {
    ...common,
    images,
    texts,
    logits: trainee.logits?.(features, own) ?? own,
    transposedLogits: mul(matmul(texts, images, { tb: true }), scale),
  };
};
