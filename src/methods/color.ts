/**
 * CoLoR: continual learning with low-rank adaptation (arXiv 2311.17601; METHODS.md H.2). Every task has a LoRA of its own on the pre-trained model, which is
 * never merged. The task of a test image is that of the nearest among prototypes: k-means centres of the features that the tasks' training images have in the
 * pre-trained model. No replay, no task id.
 */
import { adapt, evaluate, gradient, keepAdapters, keepPrototypes, pipeline, repeat, scan } from "../stages/index.ts";
import { adapter, codec, objective } from "./vocabulary.ts";
import { nearest, ofNearestTask } from "./colorBranch.ts";
import { declareMethod, option, withDefaults, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { towers: _, ...options } = common;

/** CoLoR; the prototypes are those of S-Prompts, which it follows; how its adapters are trained could not be read, and is as in the other methods. */
export const color = declareMethod(
  {
    name: "color",
    title: "CoLoR",
    paper: "2311.17601",
    does: "a LoRA a task, never merged; prototypes say which one an image takes",
    classesAlone: "the features of images say which of its adapters counts",
    options: {
      ...withDefaults(options, { modules: ["q", "v"] }),
      prototypes: option(codec.count, 5, "Prototypes of a task: clusters of its images' features."),
    },
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        // An image has a nearest prototype, a text has none: the text tower stays as it is.
        adapt({
          adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: ["vision"] }),
          steps: repeat(o.steps, gradient(objective.imageToText), cosineDescent(o)),
        }),
        keepPrototypes(o.prototypes),
        keepAdapters(),
        evaluate(o.evaluate, { through: nearest, calibration: ofNearestTask }),
      ),
    ),
);

/** Options of {@link color}. */
export type ColorOptions = OptionsOf<typeof color>;
