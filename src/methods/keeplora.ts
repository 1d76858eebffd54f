/**
 * KeepLoRA and KeepLoRA++: residual gradient adaptation (arXiv 2601.19659 and 2606.16256; METHODS.md B).
 *
 * What a model transfers lies in the principal directions of its weights, what tasks taught it in the dominant directions of their features. A task's mean
 * gradient is taken once and freed from both; its leading singular directions become a frozen A, and B alone is trained, so that no update can act on
 * what is protected. KeepLoRA++ starts B at zero and scales updates by depth: shallow layers are general, deep ones special. KeepLoRA+ and KeepLoRA++cls
 * are the two with a cosine head.
 */
import {
  adapt,
  dropout,
  encode,
  evaluate,
  gradient,
  merge,
  pipeline,
  project,
  repeat,
  scan,
  update,
  type Lesson,
  type WithDirections,
} from "../stages/index.ts";
import { adapter, codec, data, model, objective, optimizer, schedule, subspace, type PerTask } from "./vocabulary.ts";
import { declareMethod, forAnswers, option, withDefaults, type OptionsOf, type Values } from "./declare.ts";
import { common } from "./plain.ts";

/** The options of all four; the defaults are those of the authors' code for MTIL (METHODS.md B.6). */
const classified = {
  ...withDefaults({ steps: common.steps, batch: common.batch, rank: common.rank }, { steps: { epochs: 10 } }),
  alpha: option(codec.positive, 1, "The update is scaled by alpha / rank."),
  lr: option(codec.perTask(codec.rate), 1e-3, "Peak learning rate."),
  schedule: option(
    codec.oneOf("one-cycle", "cosine"),
    "one-cycle",
    "How the learning rate changes: torch's one-cycle schedule, or a cosine behind a linear warm-up.",
  ),
  warmup: option(codec.below1, 0.03, "The share of the steps in which a cosine's rate rises."),
  weightDecay: option(codec.nonNegative, 0.01, "Weight decay of AdamW."),
  cycleMomentum: option(codec.truth, true, "Whether β₁ cycles against a one-cycle rate, as torch's schedule does by default; otherwise it is 0.9."),
  dropout: option(codec.below1, 0, "Dropout of the adapters' inputs."),
  energy: option(codec.byTower(codec.share), { vision: 0.85, text: 0.2 }, "The share of each tower's weights that is protected, ε_w."),
  featureEnergy: option(codec.share, 0.99, "The share of the features, or of the gradients, that is protected, ε_f."),
  side: option(codec.oneOf("input", "output"), "input", "The side of the weights whose directions are protected (METHODS.md B.3.1).", {
    paper: "input",
    code: "output",
  }),
  counting: option(codec.oneOf("reach", "below"), "reach", "How many directions ε_w is: the first that reach it, or those that stay below it.", {
    paper: "reach",
    code: "below",
  }),
  accumulate: option(
    codec.oneOf("code-mean", "gram"),
    "code-mean",
    "How features of batches add up: averaged position by position, or all of them (METHODS.md B.3.6).",
    { paper: "gram", code: "code-mean" },
  ),
  padding: option(
    codec.oneOf("tokenizer", "zero"),
    "tokenizer",
    "What counts behind the end of a prompt in the features of texts: the tokenizer's padding, or 0, as OpenAI's own tokenizer pads.",
    { paper: "tokenizer", code: "zero" },
  ),
  start: option(codec.oneOf("svd", "zero"), "svd", "Where B starts (METHODS.md B.3.3)."),
  depth: option(codec.nonNegative, 1, "The factor of the first block's update; 1 is no scaling by depth."),
  depthTowers: option(codec.towers, ["vision"], "Towers that are scaled by depth."),
  modules: option(codec.modules, model.attentionLinears, "Kinds of layers that get adapters."),
  towers: common.towers,
  headScale: option(codec.positive, 30, "The scale of the cosine head."),
  evaluate: common.evaluate,
} as const;

const { headScale, evaluate: scored, ...shared } = classified;

/** Those of KeepLoRA and KeepLoRA++. For tasks that are answered in words the defaults are those of the authors' code for LLaVA (METHODS.md B.3.9). */
const options = forAnswers(
  {
    ...shared,
    protect: option(codec.oneOf("features", "gradients"), "features", "What is protected of past tasks: directions of their features, or of their gradients."),
    gradientShare: option(codec.share, 0.2, "The share of a task's data that gradients are taken over, where these are protected."),
    gradientBatch: option(codec.batch, 1, "Questions or images in a batch of that share."),
    projectorLr: option(codec.perTask(codec.rate), 2e-5, "The peak learning rate of a projector, which is trained in full beside."),
    headScale,
    evaluate: scored,
  },
  {
    steps: { epochs: 1 },
    alpha: ({ rank }: { readonly rank: number }) => 2 * rank,
    lr: 2e-4,
    schedule: "cosine",
    weightDecay: 0,
    dropout: 0.05,
    energy: { language: 0.6 },
    counting: "below",
    start: "zero",
    depthTowers: ["language"],
    modules: "all",
    towers: ["language"],
    protect: "gradients",
  },
  { side: { paper: "input", code: "input" } },
);

/** What all four are made of. */
const parts = (o: Values<typeof shared>) => {
  const { rank, modules, towers } = o;
  const loss = objective.unlessAnswers(objective.imageToText);
  const oneCycle = o.schedule === "one-cycle";
  const beta1 = oneCycle && o.cycleMomentum ? schedule.oneCycleMomentum() : 0.9;
  const rate = (peak: number) => (oneCycle ? schedule.oneCycle(peak) : schedule.cosine(peak, { warmup: { share: o.warmup } }));
  const descent = (lr: PerTask<number>) => optimizer.adamW({ lr: schedule.byTask(lr, rate), betas: [beta1, 0.999], weightDecay: o.weightDecay });
  return {
    loss,
    protectWeights: subspace.principalWeights({ modules, energy: o.energy, side: o.side, counting: o.counting }),
    chooseA: subspace.residualGradient({ rank, modules, towers, objective: loss, start: o.start }),
    lora: ({ directions }: WithDirections) =>
      adapter.lora({ rank, modules, towers, directions, scale: adapter.depthScale({ base: o.alpha / rank, from: o.depth, towers: o.depthTowers }) }),
    descent,
    steps: repeat(o.steps, dropout(o.dropout), gradient(loss), update(descent(o.lr))),
    protectFeatures: subspace.featureBasis({
      ...{ modules, towers, tokens: "all", accumulate: o.accumulate, padding: o.padding },
      energy: subspace.share(o.featureEnergy),
    }),
  };
};

/** KeepLoRA and KeepLoRA++, which differ in their defaults alone, where features are protected. */
const byFeatures = (o: Values<typeof options>) => {
  const { protectWeights, chooseA, lora, steps, protectFeatures } = parts(o);
  return scan(
    pipeline(
      project(protectWeights),
      encode({ batch: o.batch, steps: o.steps }),
      project(chooseA),
      adapt({ adapters: (lesson) => lora(lesson), steps }),
      merge(),
      project(protectFeatures),
      evaluate(o.evaluate),
    ),
  );
};

/** The same where gradients are protected: they are taken over a share of the data, before a task and behind it, and a projector is trained in full. */
const byGradients = (o: Values<typeof options>) => {
  const { rank, modules, towers, projectorLr } = o;
  const { loss, protectWeights, lora, descent } = parts(o);
  const aShare = encode({ batch: o.gradientBatch, steps: { epochs: o.gradientShare } });
  const gradients = { modules, towers, objective: loss, share: o.gradientShare };
  const projectorOf = ({ learner }: Lesson) => {
    const connecting = Object.entries(model.networkOf(learner.model).towers).filter(([, { connects }]) => connects);
    return connecting.length === 0 ? adapter.noAdapter : adapter.wholeLayers({ modules: "all", towers: connecting.map(([name]) => name) });
  };
  return scan(
    pipeline(
      project(protectWeights),
      aShare,
      project(subspace.residualGradient({ ...gradients, rank, start: o.start })),
      encode({ batch: o.batch, steps: o.steps }),
      adapt({
        adapters: (lesson): adapter.Adapter<any> => adapter.parallel({ projector: projectorOf(lesson), lora: lora(lesson) }),
        steps: repeat(o.steps, dropout(o.dropout), gradient(loss), update(descent(o.lr), { "projector.weights": descent(projectorLr) })),
      }),
      merge(),
      aShare,
      project(subspace.gradientBasis({ ...gradients, energy: subspace.share(o.featureEnergy) })),
      evaluate(o.evaluate),
    ),
  );
};

const algorithm = (o: Values<typeof options>) => (o.protect === "features" ? byFeatures : byGradients)(o);

const needs = "a text tower, or `energy` that names the vision tower alone";

/** KeepLoRA. */
export const keeplora = declareMethod(
  {
    name: "keeplora",
    title: "KeepLoRA",
    paper: "2601.19659",
    does: "trains in directions of the task's gradient outside of what weights and past features occupy",
    needs,
    options,
  },
  algorithm,
);

/** KeepLoRA++: B starts at zero, and updates grow with depth. */
export const keeploraPlusPlus = declareMethod(
  {
    name: "keeplora++",
    title: "KeepLoRA++",
    paper: "2606.16256",
    does: "`keeplora` with updates that grow with depth",
    needs,
    options: withDefaults(options, { start: "zero", depth: 0.2 }),
  },
  algorithm,
);

/** KeepLoRA in either form with a cosine head beside the texts, which is kept for every task (METHODS.md B.3.8). */
const withHead = (o: Values<typeof classified>) => {
  const { protectWeights, chooseA, lora, steps, protectFeatures } = parts(o);
  return scan(
    pipeline(
      project(protectWeights),
      encode({ batch: o.batch, steps: o.steps }),
      project(chooseA),
      project(subspace.classMeans()),
      adapt({
        adapters: (lesson) => adapter.cosineHead(lesson.prototypes, data.classNamesOf(lesson.task).length, lora(lesson), { scale: o.headScale }),
        steps,
      }),
      merge(),
      project(protectFeatures),
      evaluate(o.evaluate),
    ),
  );
};

const classesAlone = "its cosine head has a row for every class";
const headed = withDefaults(classified, { steps: { epochs: 5 } });

/** KeepLoRA+: KeepLoRA with a cosine head. */
export const keeploraPlus = declareMethod(
  {
    name: "keeplora+",
    title: "KeepLoRA+",
    paper: "2601.19659",
    does: "`keeplora` with a cosine head beside the texts",
    ...{ needs, classesAlone },
    options: headed,
  },
  withHead,
);

/** KeepLoRA++cls: KeepLoRA++ with a cosine head. */
export const keeploraPlusPlusCls = declareMethod(
  {
    name: "keeplora++cls",
    title: "KeepLoRA++cls",
    does: "`keeplora++` with a cosine head beside the texts",
    ...{ needs, classesAlone },
    options: withDefaults(headed, { start: "zero", depth: 0.2 }),
  },
  withHead,
);

/** Options of {@link keeplora}, {@link keeploraPlusPlus}, {@link keeploraPlus} and {@link keeploraPlusPlusCls}. */
export type KeepLoraOptions = OptionsOf<typeof keeplora>;
