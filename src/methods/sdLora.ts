/**
 * SD-LoRA: scalable decoupled low-rank adaptation (arXiv 2501.13198; METHODS.md H). The directions that earlier tasks found stay as they are, each divided
 * by its norm, and every task learns a new direction together with the magnitudes of all.
 */
import * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import { adapt, evaluate, gradient, memory, merge, pipeline, project, repeat, scan, type Lesson, type WithAdapters } from "../stages/index.ts";
import { codec, model, objective, type subspace, tensor } from "./vocabulary.ts";
import { declareMethod, option, withDefaults, type OptionsOf } from "./declare.ts";
import { descent, descentOptions } from "./descent.ts";
import { decoupledLora, factorsOf, magnitudesOf, type PastDirections } from "./decoupledLora.ts";
import { common, croppedBatches, pictureOptions } from "./plain.ts";

const directions = memory<PastDirections>("directions", new Map());

/** The directions that a learner remembers. */
export const directionsOf = directions.of;

/** Remembers the task's directions, and the factors that all have now. Stands between `adapt` and `merge`. */
export const keepDirections = <L extends Lesson & WithAdapters<"A" | "B" | "alpha">>(): subspace.TaskProjection<L, L> => ({
  scale: "task",
  name: "keepDirections",
  options: {},
  run: (lesson) => {
    const { learner, adapters } = lesson;
    const layouts = adapters.adapter.layouts(model.networkOf(learner.model));
    const entries = (group: "A" | "B" | "alpha") => tensor.unflatten(layouts[group], adapters.values[group]);
    const [B, alpha, past] = [entries("B"), entries("alpha"), directions.of(learner)];
    const after = [...entries("A")].map(([name, A]) => {
      const earlier = past.get(name) ?? [];
      const magnitudes = magnitudesOf(alpha, name, earlier.length);
      const factors = factorsOf(earlier, magnitudes);
      const newest = { A, B: B.get(name)!, factor: magnitudes[earlier.length] };
      return [name, [...earlier.map((direction, i) => ({ ...direction, factor: factors[i] })), newest]] as const;
    });
    return RTE.of({ ...lesson, learner: directions.keep(learner, new Map(after)) });
  },
});

/** SD-LoRA; queries and values are adapted, with rank 10. */
export const sdLora = declareMethod(
  {
    name: "sd-lora",
    title: "SD-LoRA",
    paper: "2501.13198",
    does: "earlier directions stay, all magnitudes are trained",
    options: {
      ...withDefaults(common, { rank: 10, modules: ["q", "v"] }),
      ...descentOptions,
      ...pictureOptions,
      magnitude: option(codec.finite, 0.8, "Where every magnitude starts, in every task."),
      magnitudes: option(codec.oneOf("shared", "by-layer"), "shared", "Whether a task has one magnitude for all layers, or one in each."),
    },
  },
  ({ rank, modules, towers, magnitude, magnitudes, ...o }) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: ({ learner }) => decoupledLora(directionsOf(learner), { rank, modules, towers, magnitude, magnitudes }),
          steps: repeat(o.steps, gradient(objective.matching), descent(o)),
        }),
        project(keepDirections()),
        merge(),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link sdLora}. */
export type SdLoraOptions = OptionsOf<typeof sdLora>;
