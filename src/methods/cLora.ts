/**
 * C-LoRA: self-regularised low-rank adaptation (Smith et al., arXiv 2304.06027; METHODS.md H). A task's update is kept away from those entries of a weight that
 * earlier tasks have changed: the penalty is ‖ |Σ_{i<t} B_i A_i| ⊙ B_t A_t ‖².
 */
import { adapt, evaluate, gradient, merge, pipeline, project, repeat, scan } from "../stages/index.ts";
import { adapter, codec, objective, subspace, tensor } from "./vocabulary.ts";
import { declareMethod, option, withDefaults, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { matching, sum, weighted } = objective;
const { add, constant, matmul, mul, square } = tensor;

/** ‖ |Σ_{i<t} B_i A_i| ⊙ B_t A_t ‖² over all modules; 0 at the first task. */
export const changedEntries: objective.Objective<"A" | "B"> = objective.objective(
  "changedEntries",
  ({ trainee: { groups }, tracing }) => {
    const [rows, columns] = [subspace.pastOf("A", tracing), subspace.pastOf("B", tracing)];
    const terms = [...groups.A.views]
      .filter(([name]) => rows.has(name))
      .map(([name, A]) => {
        const before = matmul(tracing.constant(`past B of ${name}`, columns.get(name)!), tracing.constant(`past A of ${name}`, rows.get(name)!), { ta: true });
        return tensor.sum(square(mul(before, matmul(groups.B.views.get(name)!, A))));
      });
    return terms.length === 0 ? constant(0, []) : terms.reduce(add);
  },
  [],
  "parameters",
);

/** C-LoRA; queries and values are adapted. */
export const cLora = declareMethod(
  {
    name: "c-lora",
    title: "C-LoRA",
    paper: "2304.06027",
    does: "a penalty on changing entries that were changed before",
    options: {
      ...withDefaults(common, { modules: ["q", "v"] }),
      regularisation: option(codec.nonNegative, 1e4, "The weight of the penalty, λ, which depends on the size of the updates; our choice."),
    },
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
          steps: repeat(o.steps, gradient(sum(matching, weighted(o.regularisation, changedEntries))), cosineDescent(o)),
        }),
        project(subspace.past("A")),
        project(subspace.past("B")),
        merge(),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link cLora}. */
export type CLoraOptions = OptionsOf<typeof cLora>;
