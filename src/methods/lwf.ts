/**
 * Learning without forgetting (arXiv 1606.09282), in the form that ZSCL's comparison gives it for CLIP (METHODS.md H.3): what images of the task are like among
 * its texts stays near to what the model before the task says. It keeps no data and no model: the teacher is what lies under the adapters.
 */
import { adapt, evaluate, gradient, merge, pipeline, repeat, scan } from "../stages/index.ts";
import { codec, objective } from "./vocabulary.ts";
import { declareMethod, option, type OptionsOf } from "./declare.ts";
import { fineTuning, smoothed, tunedBy, warmDescent } from "./fineTuning.ts";
import { croppedBatches } from "./plain.ts";

const { evaluate: scored, ...tuned } = fineTuning;

/** LwF: fine-tuning that is distilled from the model before the task. */
export const lwf = declareMethod(
  {
    name: "lwf",
    title: "LwF",
    paper: "1606.09282",
    does: "fine-tuning, distilled on the task's own pictures from the model before the task",
    needs: "a CLIP, whose images and texts have features of one space",
    classesAlone: "what it distils is how images are told apart by texts",
    options: {
      ...tuned,
      temperature: option(codec.positive, 2, "Temperature of the distillation."),
      distillation: option(codec.nonNegative, 1, "Weight of the distillation in each direction."),
      evaluate: scored,
    },
  },
  (o) => {
    const distilled = objective.sum(objective.imageToTextDistillation(o), objective.textToImageDistillation(o));
    return scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: tunedBy(o),
          steps: repeat(o.steps, gradient(objective.sum(smoothed(o), objective.weighted(o.distillation, distilled))), warmDescent(o)),
        }),
        merge(),
        evaluate(o.evaluate),
      ),
    );
  },
);

/** Options of {@link lwf}. */
export type LwfOptions = OptionsOf<typeof lwf>;
