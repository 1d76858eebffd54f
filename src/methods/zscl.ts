/**
 * ZSCL (arXiv 2303.06628; METHODS.md H.3): the whole model is fine-tuned, and distilled on reference pictures that are never learned from the model as it was
 * before the first task, in both directions. What a task ends with is the average of the weights along its training.
 */
import { adapt, averageWeights, encode, evaluate, gradient, merge, pipeline, repeat, scan } from "../stages/index.ts";
import { codec, data, objective, stage } from "./vocabulary.ts";
import { declareMethod, option, type OptionsOf } from "./declare.ts";
import { fineTuning, smoothed, tunedBy, warmDescent } from "./fineTuning.ts";

const { evaluate: scored, ...tuned } = fineTuning;

/** ZSCL: fine-tuning that is distilled on reference pictures from the original model, with its weights averaged. */
export const zscl = declareMethod(
  {
    name: "zscl",
    title: "ZSCL",
    paper: "2303.06628",
    does: "fine-tuning, distilled on reference pictures from the model before the first task; weights are averaged along the training",
    needs: "a CLIP, whose images and texts have features of one space",
    classesAlone: "what it distils is how images are told apart by texts",
    options: {
      ...tuned,
      teacher: option(codec.oneOf("original", "before"), "original", "The model that is distilled from: before the first task, or before the task."),
      temperature: option(codec.positive, 2, "Temperature of the distillation."),
      distillation: option(codec.nonNegative, 1, "Weight of the distillation in each direction."),
      consolidation: option(codec.nonNegative, 1, "Weight of the squared distance of the weights from those before the task."),
      averageEvery: option(codec.count, 100, "Steps between two weights that are averaged."),
      evaluate: scored,
    },
  },
  (o) => {
    const { batch, steps, cropScale } = o;
    const own = objective.sum(smoothed(o), objective.weighted(o.consolidation, objective.consolidation));
    const distilled = objective.weighted(o.distillation, objective.sum(objective.imageToTextDistillation(o), objective.textToImageDistillation(o)));
    return scan(
      pipeline(
        encode({ batch, steps, augment: data.randomResizedCrop(cropScale, 1), reference: true }),
        adapt({
          adapters: tunedBy(o),
          steps: repeat(steps, gradient(own, { reference: distilled }), warmDescent(o), averageWeights({ every: o.averageEvery })),
        }),
        merge(stage.all, { keepOriginal: o.teacher === "original" }),
        evaluate(o.evaluate),
      ),
    );
  },
);

/** Options of {@link zscl}. */
export type ZsclOptions = OptionsOf<typeof zscl>;
