/**
 * InfLoRA: interference-free low-rank adaptation (arXiv 2404.00228; METHODS.md H). A is designed, not trained: the leading directions of the new task's own
 * inputs outside of the subspace of past tasks' inputs, so that training B cannot interfere with them. The subspace is that of the authors' code, kept whole
 * where they store its complement once it is the smaller one: the projections are the same (METHODS.md H.1).
 */
import { adapt, evaluate, gradient, merge, pipeline, project, repeat, scan } from "../stages/index.ts";
import { adapter, codec, objective, subspace } from "./vocabulary.ts";
import { declareMethod, forAnswers, option, withDefaults, type OptionsOf } from "./declare.ts";
import { descent, descentOptions } from "./descent.ts";
import { common, croppedBatches, pictureOptions } from "./plain.ts";

/** InfLoRA; keys and values of the vision tower are adapted. */
export const infLora = declareMethod(
  {
    name: "inflora",
    title: "InfLoRA",
    paper: "2404.00228",
    does: "A designed from the task's inputs outside of past ones, B trained",
    options: {
      ...forAnswers(withDefaults(common, { modules: ["k", "v"], towers: ["vision"] }), { towers: ["language"] }),
      ...descentOptions,
      ...pictureOptions,
      threshold: option(codec.share, 0.95, "The share of the inputs' energy that is protected after the first task, growing to 1."),
      gramEnergy: option(
        codec.oneOf("squared", "plain"),
        "squared",
        "The energy of a direction: the square of its eigenvalue in the inputs' Gram matrix, or that itself.",
      ),
    },
  },
  (o) => {
    const { rank, modules, towers } = o;
    const inputs = { modules, towers, tokens: "all", accumulate: "gram" } as const;
    return scan(
      pipeline(
        croppedBatches(o),
        project(subspace.residualInputs({ rank, ...inputs })),
        adapt({
          adapters: ({ directions }) => adapter.lora({ rank, modules, towers, directions }),
          steps: repeat(o.steps, gradient(objective.matching), descent(o)),
        }),
        merge(),
        project(subspace.featureBasis({ ...inputs, energy: subspace.growing(o.threshold, 1, o.gramEnergy) })),
        evaluate(o.evaluate),
      ),
    );
  },
);

/** Options of {@link infLora}. */
export type InfLoraOptions = OptionsOf<typeof infLora>;
