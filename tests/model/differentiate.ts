/** Losses and gradients of a model with an adapter on it, at given values. */
import type { HostTensor } from "../../src/formats/hostTensor.ts";
import type { Device } from "../../src/device/device.ts";
import { resident } from "../../src/device/resident.ts";
import type { Adapter, GroupValues } from "../../src/model/adapters/adapter.ts";
import { compose, stepStage } from "../../src/stages/stage.ts";
import { gradient, type Steps } from "../../src/stages/steps.ts";
import type { HostRecord } from "../../src/tensor/executable.ts";
import type { Objective } from "../../src/training/objective.ts";
import { traceStep } from "../../src/training/step.ts";
import type { BatchShape, Graded, Trainee } from "../../src/training/trainee.ts";
import { orThrow, readAll, using } from "../tensor/check.ts";
import { textsOf, wholesOf, type Model } from "./embeddings.ts";

/** A step that only differentiates: the gradient of every group is an output. */
const gradientsOnly = <G extends string>(objective: Objective<any>): Steps<any> => ({
  count: 1,
  step: compose(
    gradient(objective),
    stepStage<Graded, Trainee, G>("show", {}, ({ gradients, ...trainee }, tracing) => {
      Object.entries(gradients).forEach(([name, g]) => tracing.record(`gradient of ${name}`, g));
      return trainee;
    }),
  ),
});

/** The numbers and gradients of a step by name. */
export type Gradients = Readonly<Record<string, Float32Array>>;

/** Losses, and the flat gradients of the groups, at values of the groups. */
export const differentiate = async <G extends string>(
  device: Device,
  model: Model,
  adapter: Adapter<G>,
  objective: Objective<any>,
  shape: BatchShape,
  batch: HostRecord,
  points: readonly GroupValues<G>[],
): Promise<readonly Gradients[]> => {
  const { program } = orThrow(traceStep({ model, adapter, step: gradientsOnly<G>(objective).step, steps: 1, batch: shape }));
  const used = new Set(program.leaves.filter((l) => l.role === "frozen").map((l) => l.name));
  const uploaded = orThrow(
    resident(
      device,
      [...model.weights].filter(([name]) => used.has(name)),
    ),
  );
  try {
    return await using(
      device,
      program,
      async (exe) => {
        const results: Gradients[] = [];
        for (const values of points) {
          orThrow(exe.write("state", values));
          orThrow(exe.run(batch));
          results.push(await readAll(exe, Object.keys(program.outputs)));
        }
        return results;
      },
      uploaded,
    );
  } finally {
    uploaded.release();
  }
};

/** One-hot targets [images, texts] and their transpose. */
const targetsOf = (labels: readonly number[], texts: number): HostRecord => {
  const [targets, transposedTargets] = [new Float32Array(labels.length * texts), new Float32Array(labels.length * texts)];
  labels.forEach((label, i) => {
    targets[i * texts + label] = 1;
    transposedTargets[label * labels.length + i] = 1;
  });
  return { targets, transposedTargets };
};

export const batchOf = (
  model: Model,
  pixels: HostTensor,
  ids: HostTensor,
  labels: readonly number[],
  previous: number,
): { readonly shape: BatchShape; readonly batch: HostRecord } => {
  const texts = textsOf(model.config.text, wholesOf(ids));
  return {
    shape: { images: labels.length, texts: texts.count, length: texts.length, previous },
    batch: { pixels: pixels.data, ids: texts.ids, ends: texts.ends, ...targetsOf(labels, texts.count) },
  };
};
