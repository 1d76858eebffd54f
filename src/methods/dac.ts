/**
 * DAC: decomposing and composing, a pool of rank-1 experts in a single LoRA (arXiv 2601.22828; METHODS.md C).
 *
 * A LoRA of rank r is read as r experts. A router on the first token lets every sample vote for the experts of a step; the batch uses those with the most
 * votes. The AGO loss keeps the outputs of a task's most used experts away from those of past tasks, and only the most used are merged. No replay, no task
 * id.
 */
import {
  adapt,
  all,
  batchVote,
  dropout,
  encode,
  evaluate,
  gradient,
  merge,
  mostUsed,
  pipeline,
  project,
  rankSelect,
  repeat,
  scan,
  update,
} from "../stages/index.ts";
import { adapter, codec, data, objective, optimizer, schedule, subspace } from "./vocabulary.ts";
import { declareMethod, option, scoring, withDefaults, type OptionsOf } from "./declare.ts";
import { common } from "./plain.ts";

const { steps, batch, modules, towers, cropScale } = common;

/** DAC; the defaults are those of the authors' code (METHODS.md C.6). */
export const dac = declareMethod(
  {
    name: "dac",
    title: "DAC",
    paper: "2601.22828",
    does: "a pool of rank-1 experts; samples vote, the most used are merged",
    options: {
      // The authors' loop counts from 0 to 500.
      ...withDefaults({ steps, batch }, { steps: 501, batch: 32 }),
      rank: option(codec.rank, 12, "Experts of a layer."),
      active: option(codec.rank, 8, "Experts that a step uses."),
      merged: option(
        codec.rank,
        ({ active }: { readonly active: number }) => Math.ceil(active / 2),
        "Experts that are merged, and whose overlap counts; half of the active ones where it is not given.",
      ),
      alpha: option(codec.positive, 1, "The update is scaled by alpha / rank."),
      dropout: option(codec.below1, 0.2, "Dropout of the experts' and the router's inputs."),
      ago: option(codec.nonNegative, 0.1, "The weight of the AGO loss, λ."),
      agoPast: option(codec.oneOf("all", "critical"), "all", "The columns of past tasks in the AGO loss: all, or those of the most used experts.", {
        paper: "critical",
        code: "all",
      }),
      agoReduce: option(codec.oneOf("abs-sum", "mean"), "abs-sum", "The sum of the absolute inner products of a layer, or their mean.", {
        paper: "mean",
        code: "abs-sum",
      }),
      router: option(
        codec.oneOf("frozen-random", "straight-through", "prob-weighted"),
        "frozen-random",
        "How the router learns; in the code it does not, and the two ways in which it does are ours (METHODS.md C.2).",
        { paper: "straight-through", code: "frozen-random" },
      ),
      lr: option(codec.perTask(codec.rate), 2e-3, "Peak learning rate, which falls to 1e-6 by a cosine."),
      weightDecay: option(codec.nonNegative, 0.01, "Weight decay of AdamW."),
      ...{ modules, towers, cropScale },
      evaluate: scoring({ templates: "ensemble" }),
    },
  },
  (o) => {
    const critical = mostUsed(o.merged);
    const apart = subspace.overlap("B", { critical: subspace.mostVoted(o.merged), reduce: o.agoReduce });
    const lr = schedule.byTask(o.lr, (peak) => schedule.cosine(peak, { floor: 1e-6, reached: true }));
    return scan(
      pipeline(
        encode({ batch: o.batch, steps: o.steps, texts: "images", template: "random", augment: data.randomResizedCrop(o.cropScale, 1) }),
        adapt({
          adapters: adapter.expertPool({ rank: o.rank, scale: o.alpha / o.rank, modules: o.modules, towers: o.towers }),
          steps: repeat(
            o.steps,
            dropout(o.dropout),
            rankSelect(batchVote(o.active, { router: o.router })),
            gradient(objective.sum(objective.unlessAnswers(objective.ifGiven(objective.contrastive)), objective.weighted(o.ago, apart))),
            update(optimizer.adamW({ lr, weightDecay: o.weightDecay })),
          ),
        }),
        project(o.agoPast === "all" ? subspace.past("B", all) : subspace.past("B", critical)),
        merge(critical),
        evaluate(o.evaluate),
      ),
    );
  },
);

/** Options of {@link dac}. */
export type DacOptions = OptionsOf<typeof dac>;
