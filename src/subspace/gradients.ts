/** Gradients of a task's loss with respect to weights, and the directions of past tasks' ones. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { classNamesOf } from "../data/task.ts";
import { inPrecision } from "../device/precision.ts";
import type { Device } from "../device/device.ts";
import type { Failure } from "../failure.ts";
import { emptyBasis, extendByRows, type Matrix } from "../linalg/linalg.ts";
import { classifying } from "../model/adapters/heads.ts";
import { noAdapter } from "../model/adapters/none.ts";
import { layersOf, type LayerChoice } from "../model/network.ts";
import { networkOf } from "../model/model.ts";
import { constant, scale } from "../tensor/ops/elementwise.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { differentiated } from "../training/differentiated.ts";
import type { Objective } from "../training/objective.ts";
import { sumOver } from "../training/pass.ts";
import type { Runtime } from "../training/runtime.ts";
import { traineeOf } from "../training/step.ts";
import { recorder } from "../training/tracing.ts";
import { remember, remembered, type EnergyThreshold } from "./bases.ts";
import type { TaskProjection } from "./projection.ts";

/** Of which loss, with respect to which layers, and over how much of a task. */
export interface GradientOptions<N extends string = never> extends LayerChoice {
  readonly objective: Objective<N>;
  /** The share of the batches of a walk that it is the mean over, at least one. Default 1. */
  readonly share?: number;
}

/** The options as a manifest shows them. */
export const describeGradients = ({ objective, ...options }: GradientOptions<any>): object => ({ ...options, objective: objective.name });

/**
 * The mean gradient of an objective over whole batches, with respect to the weights [out, in] of layers. Where the architecture has no logits of
 * its own, the loss is that of the task's head as it starts. It is computed in f32 on devices of every precision: there is no scale of the loss to find, and
 * in f16 a small gradient would be zero.
 */
export const meanGradient =
  (lesson: Lesson & WithBatches, { objective, share = 1, ...choice }: GradientOptions<any>) =>
  (runtime: Runtime): TE.TaskEither<Failure, ReadonlyMap<string, Matrix>> => {
    const { learner, task, position, batches } = lesson;
    const { model } = learner;
    const net = networkOf(model);
    const layers = layersOf(net, choice);
    const count = Math.max(1, Math.ceil(share * batches.epoch));
    const adapter = classifying(model.architecture, classNamesOf(task).length, noAdapter);
    const start = adapter.initial(net, model.weights, runtime.seed, position);
    const summed = (device: Device) =>
      sumOver({
        weights: model.weights,
        at: batches.at,
        batches: count,
        of: (leaves) => {
          const { tracing } = recorder(leaves, { steps: count });
          const trainee = traineeOf({ model, adapter, batch: batches.shape }, tracing, (name, { length }) =>
            leaves.constant(`${name} at its start`, { shape: [length], data: start[name] }),
          );
          const weights = layers.map((layer) => leaves.frozen(`${layer.name}.weight`, [layer.out, layer.in]));
          const { gradients } = differentiated(objective, trainee, tracing, weights);
          return Object.fromEntries(gradients.map((g, i): readonly [string, Tensor] => [layers[i].name, scale(g ?? constant(0, weights[i].shape), 1 / count)]));
        },
      })({ ...runtime, device });
    return pipe(
      TE.fromEither(inPrecision("f32", runtime.device)),
      TE.chain(summed),
      TE.map((found) => new Map(layers.map((layer): readonly [string, Matrix] => [layer.name, { shape: [layer.out, layer.in], data: found[layer.name] }]))),
    );
  };

/** Options of {@link gradientBasis}. */
export interface GradientBasisOptions<N extends string = never> extends GradientOptions<N> {
  readonly energy: EnergyThreshold;
}

/**
 * Extends the remembered bases by the dominant directions of the gradient that a task has under the learner's model, on the input side of each weight, until
 * they hold a share of its energy (KeepLoRA where tasks are answered in words, METHODS.md B.3.9). Stands behind `merge`. Fails with `BadMatrix` where a
 * gradient is not finite.
 */
export const gradientBasis = <L extends Lesson & WithBatches, N extends string = never>({
  energy,
  ...options
}: GradientBasisOptions<N>): TaskProjection<L, L, N> => ({
  scale: "task",
  name: "gradientBasis",
  options: { ...describeGradients(options), energy: { [energy.name]: energy.options } },
  run: (lesson) =>
    pipe(
      meanGradient(lesson, options),
      RTE.chainEitherK((gradients) => {
        const before = remembered(lesson.learner);
        const share = energy.of(lesson.position, lesson.stream.tasks.length);
        return pipe(
          [...gradients],
          E.traverseArray(([name, g]) =>
            pipe(
              extendByRows(before.get(name) ?? emptyBasis(g.shape[1]), g, share),
              E.map(({ basis }) => [name, basis] as const),
            ),
          ),
          E.map((found) => remember(lesson.learner, new Map([...before, ...found]))),
        );
      }),
      RTE.map((learner) => ({ ...lesson, learner })),
    ),
});
