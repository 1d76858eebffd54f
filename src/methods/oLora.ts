/**
 * O-LoRA: orthogonal low-rank adaptation (arXiv 2310.14152; METHODS.md H). Every task has a LoRA of its own, whose A is kept away from the rows of all earlier
 * ones by a penalty on their inner products; the model is the sum of all.
 */
import { adapt, evaluate, gradient, merge, pipeline, project, repeat, scan } from "../stages/index.ts";
import { adapter, codec, objective, subspace } from "./vocabulary.ts";
import { declareMethod, option, withDefaults, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { matching, sum, weighted } = objective;

/** O-LoRA; queries and values are adapted. */
export const oLora = declareMethod(
  {
    name: "o-lora",
    title: "O-LoRA",
    paper: "2310.14152",
    does: "a penalty on overlap with earlier adapters' rows",
    options: {
      ...withDefaults(common, { modules: ["q", "v"] }),
      orthogonality: option(codec.nonNegative, 0.5, "The weight of the penalty, λ₁."),
      penalty: option(codec.oneOf("abs-sum", "square-sum"), "abs-sum", "The sum of the absolute values of A_i A_tᵀ, or of their squares.", {
        paper: "square-sum",
        code: "abs-sum",
      }),
    },
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
          steps: repeat(
            o.steps,
            gradient(sum(matching, weighted(o.orthogonality, subspace.overlap("A", { reduce: o.penalty, layers: "sum" })))),
            cosineDescent(o),
          ),
        }),
        project(subspace.past("A")),
        merge(),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link oLora}. */
export type OLoraOptions = OptionsOf<typeof oLora>;
