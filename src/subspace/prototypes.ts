/** Class means of features: where the rows of a cosine head start. */
import { pipe } from "fp-ts/lib/function.js";
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import { readoutOf } from "../model/architecture.ts";
import { networkOf, outputsOf } from "../model/model.ts";
import { matmul } from "../tensor/ops/matmul.ts";
import { normalize } from "../tensor/ops/normalize.ts";
import { floats } from "../tensor/tensor.ts";
import type { Lesson, WithBatches } from "../training/lesson.ts";
import { sumOver } from "../training/pass.ts";
import type { TaskProjection } from "./projection.ts";

/** Given by {@link classMeans}: unit rows [classes, embed]. */
export interface WithPrototypes {
  readonly prototypes: Float32Array;
}

const unitRows = (sums: Float32Array, width: number): Float32Array => {
  const rows = sums.slice();
  for (let at = 0; at < rows.length; at += width) {
    const row = rows.subarray(at, at + width);
    const length = Math.hypot(...row);
    row.forEach((x, i) => (row[i] = x / (length || 1)));
  }
  return rows;
};

/**
 * The mean unit feature of every class of the task under the learner's model, over one walk of whole batches, normalised again (KeepLoRA+, METHODS.md B.3.8).
 * Adapters that start without effect change nothing about them. A class without an image in the walk has a row of zeros.
 */
export const classMeans = <L extends Lesson & WithBatches>(): TaskProjection<L, L & WithPrototypes> => ({
  scale: "task",
  name: "classMeans",
  options: {},
  run: (lesson) => {
    const { learner, batches } = lesson;
    const { model } = learner;
    const { features } = readoutOf(model.architecture);
    return pipe(
      sumOver({
        weights: model.weights,
        at: batches.at,
        batches: batches.epoch,
        of: (leaves) => {
          const targets = leaves.input("targets", floats([batches.shape.images, batches.shape.texts]));
          return { sums: matmul(targets, normalize(outputsOf(model, leaves, batches.shape)[features]), { ta: true }) };
        },
      }),
      RTE.map(({ sums }) => ({ ...lesson, prototypes: unitRows(sums, networkOf(model).width) })),
    );
  },
});
