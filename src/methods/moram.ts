/**
 * MoRAM: a mixture of rank-1 associative memory experts (arXiv 2506.21035; METHODS.md H.2). Every task adds rank-1 slots to every layer, a key and a value
 * each; those of earlier tasks are frozen. Slots weigh themselves for every token by how their keys meet it, so that there is no router; nothing is merged. No
 * replay, no task id.
 */
import { adapt, evaluate, gradient, keepAdapters, pipeline, repeat, scan } from "../stages/index.ts";
import { codec, model, objective } from "./vocabulary.ts";
import { declareMethod, forAnswers, option, withDefaults, withMeaning, type OptionsOf } from "./declare.ts";
import { memorySlots, selfActivated } from "./moramSlots.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { rank, modules, towers, cropScale, evaluate: scored, ...training } = common;

/** MoRAM; the defaults are those of the authors' launch scripts, for X-TAIL and, where tasks are answered in words, for TRACE. */
export const moram = declareMethod(
  {
    name: "moram",
    title: "MoRAM",
    paper: "2506.21035",
    does: "rank-1 memory slots that weigh themselves by their keys; never merged",
    options: {
      ...training,
      ...forAnswers({ rank: withMeaning(rank, "Slots that a task adds to every layer.") }, { rank: 8 }),
      active: option(
        codec.rank,
        ({ rank: slots }: { readonly rank: number }) => slots,
        "Slots that take part for a token, at least 2; as many as a task adds where it is not given.",
      ),
      ...forAnswers(
        {
          temperature: option(codec.positive, 0.01, "The temperature of the softmax over the scores of slots, τ."),
          ...withDefaults({ modules }, { modules: ["q", "k", "v", "fc1", "fc2"] }),
        },
        { temperature: 0.03, modules: ["q", "k", "v", "out"] },
      ),
      threshold: option(codec.below1, 0.2, "The least score of a slot that takes part at test time, δ."),
      ...{ towers, cropScale },
      evaluate: scored,
    },
  },
  (o) => {
    const activation = { active: o.active, temperature: o.temperature };
    return scan(
      pipeline(
        croppedBatches(o),
        adapt({
          adapters: ({ learner }) => memorySlots(model.bankedByLayer(learner), { rank: o.rank, modules: o.modules, towers: o.towers, ...activation }),
          steps: repeat(o.steps, gradient(objective.matching), cosineDescent(o)),
        }),
        keepAdapters(),
        evaluate(o.evaluate, { through: selfActivated({ ...activation, threshold: o.threshold }) }),
      ),
    );
  },
);

/** Options of {@link moram}. */
export type MoramOptions = OptionsOf<typeof moram>;
