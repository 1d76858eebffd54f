/**
 * Experience replay (Chaudhry et al., arXiv 1902.10486; METHODS.md H): some pictures of every past class are kept, and every batch holds a share of them beside
 * those of the task. The first baseline that anyone asks for, and one that must keep data.
 */
import { adapt, evaluate, gradient, merge, pipeline, keepExamples, repeat, scan } from "../stages/index.ts";
import { adapter, codec, objective } from "./vocabulary.ts";
import { declareMethod, forAnswers, option, type OptionsOf } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

const { evaluate: scored, ...trained } = common;

/** Experience replay, with one LoRA a task. */
export const replay = declareMethod(
  {
    name: "replay",
    title: "experience replay",
    paper: "1902.10486",
    does: "plain LoRA with some examples of past tasks in every batch",
    options: forAnswers(
      {
        ...trained,
        perClass: option(codec.count, 20, "Pictures of every class, or questions of every task that is answered in words, that are kept; our choice."),
        share: option(codec.below1, 0.25, "The share of every batch that is drawn from them; our choice."),
        evaluate: scored,
      },
      { perClass: 50 },
    ),
  },
  (o) =>
    scan(
      pipeline(
        croppedBatches(o, o.share),
        adapt({
          adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
          steps: repeat(o.steps, gradient(objective.matching), cosineDescent(o)),
        }),
        merge(),
        keepExamples(o.perClass),
        evaluate(o.evaluate),
      ),
    ),
);

/** Options of {@link replay}. */
export type ReplayOptions = OptionsOf<typeof replay>;
