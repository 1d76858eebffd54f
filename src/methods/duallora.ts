/**
 * DualLoRA: orthogonal and residual adapters with a dynamic memory (arXiv 2411.00623) — a RECONSTRUCTION: neither the paper's equations nor its code could
 * be read, so everything beyond its two branches and their two constraints is our choice, and an option (METHODS.md D).
 *
 * Every adapted layer has two branches. The orthogonal one is kept outside of the features of past tasks and is merged. The residual one acts on the directions
 * that one task contributed; it is never merged, and the memory weighs it for every image by the energy that the image has in those directions. The same
 * energies predict the task of an image, and correct the logits where they are sure of it. No replay, no task id.
 */
import { adapt, branch, encode, evaluate, gradient, merge, pipeline, project, repeat, rowsOutOf, scan, startingOutside, update } from "../stages/index.ts";
import { adapter, codec, objective, optimizer, schedule, subspace, type PerTask } from "./vocabulary.ts";
import { declareMethod, option, withDefaults, type OptionsOf } from "./declare.ts";
import { residual } from "./dualloraBranch.ts";
import { taskPrediction, type TaskPredictionOptions } from "./dualloraPrediction.ts";
import { addSlot, keepResidual, residualDirections } from "./dualloraSlots.ts";
import { common } from "./plain.ts";

const { steps, batch, rank, modules, towers, evaluate: scored } = common;

/** DualLoRA, as we reconstruct it; the defaults are our choice (METHODS.md D.7 takes them from InfLoRA's public configurations). */
export const duallora = declareMethod(
  {
    name: "duallora",
    title: "DualLoRA",
    paper: "2411.00623",
    does: "orthogonal and residual adapters with a memory; a reconstruction",
    classesAlone: "the class tokens of images say which of its adapters count",
    options: {
      ...withDefaults({ steps, batch, rank }, { steps: { epochs: 20 }, batch: 128, rank: 10 }),
      optimizer: option(codec.oneOf("adam", "sgd"), "adam", "The optimiser: AdamW, or gradient descent without momentum."),
      lr: option(codec.perTask(codec.rate), 5e-4, "Learning rate, the same in every step."),
      headLr: option(
        codec.perTask(codec.rate),
        ({ lr }: { readonly lr: PerTask<number> }) => lr,
        "The learning rate of a ViT's head; `lr` where it is not given.",
      ),
      threshold: option(codec.share, 0.95, "The share of the features' energy that the memory holds after the first task, growing to 1."),
      gramEnergy: option(
        codec.oneOf("plain", "squared"),
        "plain",
        "The energy of a direction: its eigenvalue in the features' Gram matrix, or the square of that.",
      ),
      tokens: option(codec.oneOf("class", "all"), "class", "The rows of a layer's input that the memory is made of: the class token of every image, or all."),
      slot: option(codec.oneOf("previous", "current"), "previous", "Whose directions a residual adapter acts on: those of the task before, or of its own."),
      weights: option(codec.oneOf("share", "raw", "softmax"), "share", "How residual adapters are weighted (METHODS.md D.2)."),
      orthonormal: option(codec.truth, false, "Whether the orthogonal branch starts with orthonormal rows."),
      prediction: option(
        codec.someOf<TaskPredictionOptions>({ temperature: codec.positive, confidence: codec.nonNegative, mode: codec.oneOf("soft", "hard", "off") }),
        {},
        "How the task of an image is predicted, and what follows (METHODS.md D.5).",
      ),
      ...withDefaults({ modules, towers }, { modules: ["k", "v"], towers: ["vision"] }),
      evaluate: scored,
    },
  },
  (o) => {
    const where = { modules: o.modules, towers: o.towers };
    const memory = residual({ ...where, weights: o.weights });
    const features = { ...where, tokens: o.tokens, accumulate: "gram", through: memory, energy: subspace.growing(o.threshold, 1, o.gramEnergy) } as const;
    const optimizerAt = (lr: PerTask<number>) => (o.optimizer === "adam" ? optimizer.adamW : optimizer.sgd)({ lr: schedule.byTask(lr, schedule.constantly) });
    return scan(
      pipeline(
        encode({ batch: o.batch, steps: o.steps }),
        project(residualDirections({ rank: o.rank, slot: o.slot, ...features })),
        adapt({
          through: memory,
          adapters: ({ directions, learner }) =>
            adapter.parallel({
              orthogonal: startingOutside(subspace.remembered(learner), adapter.lora({ rank: o.rank, ...where }), { orthonormal: o.orthonormal }),
              residual: adapter.lora({ rank: o.rank, ...where, directions }),
            }),
          steps: repeat(
            o.steps,
            gradient(objective.imageToText),
            update(optimizerAt(o.lr), { head: optimizerAt(o.headLr) }),
            project(rowsOutOf("orthogonal.A")),
          ),
        }),
        project(keepResidual(o.slot)),
        merge(branch("orthogonal")),
        project(addSlot(features)),
        evaluate(o.evaluate, { through: memory, calibration: taskPrediction(o.prediction) }),
      ),
    );
  },
);

/** Options of {@link duallora}. */
export type DualLoraOptions = OptionsOf<typeof duallora>;
