/**
 * LoRA-TTT: low-rank test-time training (arXiv 2502.02069; METHODS.md H). Nothing is learned of the tasks. Before a picture is answered, a LoRA in the deepest
 * blocks of the image tower is trained for one step on views of that picture: the entropy of their mean prediction is to fall, and their class tokens are to be
 * the same with patches hidden. The next picture meets the model as it was.
 */
import { dropout, evaluate, gradient, repeat, scan, testTimeTraining, update } from "../stages/index.ts";
import { adapter, codec, data, objective, optimizer, schedule } from "./vocabulary.ts";
import { declareMethod, option, scoring, type OptionsOf } from "./declare.ts";

const { ifGiven, maskedReconstruction, meanEntropy, sum, weighted } = objective;

/** The terms that weigh something: the others are not computed. */
const losses = (entropy: number, reconstruction: number, hidden: number): objective.Objective =>
  ifGiven(
    sum(...(entropy > 0 ? [weighted(entropy, meanEntropy)] : []), ...(reconstruction > 0 ? [weighted(reconstruction, maskedReconstruction(hidden))] : [])),
  );

/** LoRA-TTT; the defaults are those of the authors' code (METHODS.md H). */
export const loraTtt = declareMethod(
  {
    name: "lora-ttt",
    title: "LoRA-TTT",
    paper: "2502.02069",
    does: "learns nothing; trains a LoRA on views of each picture before it answers",
    needs: "a model that reads texts",
    classesAlone: "it trains on the predictions of views among classes",
    options: {
      views: option(codec.batch, 64, "Views of a picture, of which the first is the picture itself."),
      confident: option(codec.share, 0.1, "The share of the views that is trained on: those whose predictions have the least entropy."),
      updates: option(codec.upTo(1000), 1, "Steps on each picture."),
      rank: option(codec.rank, 16, "Rank of every adapter."),
      alpha: option(
        codec.positive,
        ({ rank }: { readonly rank: number }) => 2 * rank,
        "The update is scaled by alpha / rank; twice the rank where it is not given.",
      ),
      modules: option(codec.modules, ["q", "k", "v", "out"], "Kinds of layers that get adapters."),
      towers: option(codec.towers, ["vision"], "Towers that get adapters; the texts of classes are encoded once, without them."),
      last: option(codec.count, 2, "In so many of the last blocks of a tower layers get adapters."),
      rate: option(codec.positive, 1e-3, "Learning rate of AdamW."),
      weightDecay: option(codec.nonNegative, 0.2, "Weight decay of AdamW."),
      dropout: option(codec.below1, 0.01, "Dropout of the adapters' inputs."),
      entropy: option(codec.nonNegative, 1, "The weight of the entropy of the mean prediction."),
      reconstruction: option(codec.nonNegative, 1, "The weight of the masked reconstruction."),
      hidden: option(codec.share, 0.75, "The share of the patches that the reconstruction hides."),
      cropScale: option(codec.share, 0.08, "The smallest area of the views' random resized crop."),
      viewSeed: option(
        codec.whole("a whole number of at least 0", 0),
        0,
        "The seed of views, hidden patches and adapters, which are the same for every picture; ours.",
      ),
      evaluate: scoring(),
    },
  },
  (o) => {
    const adaptation = testTimeTraining({
      adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: o.towers, last: o.last, scale: o.alpha / o.rank }),
      steps: repeat(
        o.updates,
        dropout(o.dropout),
        gradient(losses(o.entropy, o.reconstruction, o.hidden)),
        update(optimizer.adamW({ lr: schedule.constantly(o.rate), weightDecay: o.weightDecay })),
      ),
      views: o.views,
      augment: data.flipped(data.randomResizedCrop(o.cropScale, 1, { resampling: "bilinear" })),
      confident: o.confident,
      hidden: o.hidden,
      seed: o.viewSeed,
    });
    return scan(evaluate(o.evaluate, { adaptation }));
  },
);

/** Options of {@link loraTtt}. */
export type LoraTttOptions = OptionsOf<typeof loraTtt>;
