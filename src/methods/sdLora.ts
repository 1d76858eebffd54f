/**
 * SD-LoRA: scalable decoupled low-rank adaptation (arXiv 2501.13198; METHODS.md H). The directions that earlier tasks found stay as they are, each divided
 * by its norm, and every task learns a new direction together with the magnitudes of all.
 */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import { decoupledLora, factorsOf, type PastDirections } from "./decoupledLora.ts";
import { adapt } from "../stages/adapt.ts";
import { encode } from "../stages/encode.ts";
import { evaluate } from "../stages/evaluate.ts";
import { method, type Method } from "../stages/learn.ts";
import type { Lesson, WithAdapters } from "../training/lesson.ts";
import { memory } from "../model/memory.ts";
import { merge } from "../stages/merge.ts";
import { imageToText, sum, textToImage } from "../training/objective.ts";
import { adamW } from "../training/optimizer.ts";
import { project } from "../stages/project.ts";
import type { TaskProjection } from "../subspace/projection.ts";
import { byTask, cosine } from "../training/schedule.ts";
import { pipeline } from "../stages/stage.ts";
import { gradient, repeat, update } from "../stages/steps.ts";
import { randomResizedCrop } from "../data/augment.ts";
import { unflatten } from "../tensor/layout.ts";
import { loraDefaults, type LoraMethodOptions } from "./baselines.ts";
import type { Complete } from "./options.ts";

const known = memory<PastDirections>("directions", new Map());

/** The directions that a learner remembers. */
export const directionsOf = known.of;

/** Remembers the task's directions, and the factors that all have now. Stands between `adapt` and `merge`. */
export const keepDirections = <L extends Lesson & WithAdapters<"A" | "B" | "alpha">>(): TaskProjection<L, L> => ({
  scale: "task",
  name: "keepDirections",
  options: {},
  run: (lesson) => {
    const {
      learner,
      adapters: {
        adapter: { layouts },
        values,
      },
    } = lesson;
    const l = layouts(learner.model.config);
    const [A, B, alpha] = [unflatten(l.A, values.A), unflatten(l.B, values.B), unflatten(l.alpha, values.alpha)];
    const before = known.of(learner);
    const after = [...A].map(([name, rows]) => {
      const list = before.get(name) ?? [];
      const magnitudes = alpha.get(name)!.data;
      const factors = factorsOf(list, magnitudes);
      return [name, [...list.map((d, i) => ({ ...d, factor: factors[i] })), { A: rows, B: B.get(name)!, factor: magnitudes[list.length] }]] as const;
    });
    return RTE.of({ ...lesson, learner: known.keep(learner, new Map(after)) });
  },
});

/** Options of {@link sdLora}. */
export interface SdLoraOptions extends LoraMethodOptions {
  /** Where every magnitude starts, in every task. Default 0.8. */
  readonly magnitude?: number;
}

/** SD-LoRA as a method; queries and values are adapted, with rank 10. */
export const sdLora = (options: SdLoraOptions = {}): Method => {
  const o: Complete<SdLoraOptions> = { ...loraDefaults, rank: 10, modules: ["q", "v"], magnitude: 0.8, ...options };
  return method(
    "sd-lora",
    o,
    pipeline(
      encode({ batch: o.batch, steps: o.steps, augment: randomResizedCrop(o.cropScale, 1) }),
      adapt({
        adapters: ({ learner }) => decoupledLora(directionsOf(learner), { rank: o.rank, modules: o.modules, towers: o.towers, magnitude: o.magnitude }),
        steps: repeat(
          o.steps,
          gradient(sum(imageToText, textToImage)),
          update(adamW({ lr: byTask(o.lr, cosine), betas: o.betas, weightDecay: o.weightDecay })),
        ),
      }),
      project(keepDirections()),
      merge(),
      evaluate(o.evaluate),
    ),
  );
};
