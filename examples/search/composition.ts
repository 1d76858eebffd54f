/**
 * Compositions of stages as data, and the method that each is. A composition is one choice on every axis; `composed` is the only place that knows which stages
 * a choice stands for, so a new idea is a value on an axis here and an entry in the list below. Which stages meet is known when the program runs and not when it is
 * written, so `any` stands for what they need of one another; a test runs every composition of the list.
 */
import { adapter, data, model, objective, optimizer, schedule, stage, subspace, type Method } from "../../mod.ts";

type Lesson = stage.Lesson & stage.WithBatches & Partial<stage.WithDirections> & Partial<subspace.WithPrototypes>;

/** One choice on every axis. */
export interface Composition {
  /**
   * Where updates may go. `free`: anywhere (CoDyRA). `gradients`: leading directions of the task's gradient outside of what weights and past features occupy
   * (KeepLoRA). `inputs`: leading directions of the task's inputs outside of past ones (InfLoRA).
   */
  readonly projection: "free" | "gradients" | "inputs";
  /** Which ranks live: `all`, those whose gate survives a soft threshold (CoDyRA), or the half with the largest products of norms. */
  readonly selection: "all" | "gates" | "magnitude";
  /** Images to texts alone (KeepLoRA), or texts to images, too (CoDyRA). */
  readonly loss: "images" | "matching";
  /** What is added to it: nothing, agreement with the model before the task (as LwF), or distance from the directions of past tasks (DAC). */
  readonly beside: "nothing" | "distillation" | "distance";
  /** The texts tell classes apart, or a cosine head that starts at the class means does beside them (KeepLoRA+). */
  readonly head: "texts" | "cosine";
  /** Whether updates of the vision tower grow with depth (KeepLoRA++). */
  readonly depth: boolean;
  /** What share of a task's update is merged: weights between those before and behind it (WiSE-FT). */
  readonly merged: number;
  /** Whether a share of every batch is drawn from pictures of past classes that are kept. */
  readonly replay: boolean;
}

/** How long and how a composition is trained. */
export interface TrainingOptions {
  readonly steps: number;
  readonly batch: number;
  /** Peak of the learning rate. */
  readonly lr: number;
}

const { adapt, all, encode, evaluate, gradient, identity, keepExamples, magnitude, merge, method, pipeline, project, rankSelect, repeat, selected } = stage;

const rank = 16;

/** The share is that of the method `replay`. Of the 20 pictures that it keeps a class no class of these streams has half: 4 are a part of most. */
const replayed = { share: 0.25, perClass: 4 } as const;

/** What the learning rate of a composition is tuned as: a frozen A takes a higher one. */
export const tunedAs = ({ projection }: Composition): "codyra" | "keeplora++" => (projection === "free" ? "codyra" : "keeplora++");

/** What is trained on. */
const lossOf = ({ loss, beside }: Composition): objective.Objective<"B"> => {
  const matched = loss === "images" ? objective.imageToText : objective.matching;
  if (beside === "nothing") return matched;
  return objective.sum(
    matched,
    beside === "distillation" ? objective.ifGiven(objective.imageToTextDistillation()) : objective.weighted(0.1, subspace.overlap("B")),
  );
};

/** A composition as a method. */
export const composed = (choice: Composition, { steps, batch, lr }: TrainingOptions): Method => {
  const { projection, selection, head, depth, merged, replay, beside } = choice;
  const where = { modules: projection === "free" ? "all" : model.attentionLinears, towers: "all" } as const;
  const nothing = <L>(): stage.TaskStage<L, L> => identity("task");
  const features = { ...where, tokens: "all" } as const;
  const loss = lossOf(choice);

  const protectWeights: stage.TaskStage<stage.Lesson, stage.Lesson> =
    projection === "gradients" ? project(subspace.principalWeights({ ...where, energy: { vision: 0.85, text: 0.2 } })) : nothing();
  const chooseDirections: stage.TaskStage<any, any> = {
    free: nothing(),
    gradients: project(subspace.residualGradient({ ...where, rank, objective: objective.imageToText, start: "zero" })),
    inputs: project(subspace.residualInputs({ ...features, accumulate: "gram", rank })),
  }[projection];
  const findMeans: stage.TaskStage<any, any> = head === "cosine" ? project(subspace.classMeans()) : nothing();
  const protectFeatures = {
    free: nothing<stage.Lesson & stage.WithBatches & stage.Merged>(),
    gradients: project(subspace.featureBasis({ ...features, accumulate: "code-mean", energy: subspace.share(0.99) })),
    inputs: project(subspace.featureBasis({ ...features, accumulate: "gram", energy: subspace.growing(0.95, 1, "squared") })),
  }[projection];

  const adapters = ({ directions, prototypes, task }: Lesson): adapter.Adapter<any> => {
    const options = { ...where, rank, scale: depth ? adapter.depthScale() : 1, ...(directions === undefined ? {} : { directions }) };
    const low: adapter.Adapter<any> = selection === "gates" ? adapter.gatedLora(options) : adapter.lora(options);
    return prototypes === undefined ? low : adapter.cosineHead(prototypes, data.classNamesOf(task).length, low);
  };
  const threshold: stage.StepStage<any, any, any> =
    selection === "gates" ? rankSelect(stage.softThreshold(schedule.ramp(0.005))) : (identity("step") as stage.StepStage<any, any>);
  const largest: stage.TaskStage<any, any> = selection === "magnitude" ? rankSelect(magnitude(rank / 2)) : nothing();
  const chosen: stage.Selection<any> = selection === "gates" ? selected : all;

  const made = method(
    nameOf(choice),
    { ...choice, steps, batch, lr },
    pipeline(
      protectWeights,
      encode({ batch, steps, augment: data.randomResizedCrop(0.9, 1), replay: replay ? replayed.share : 0 }),
      pipeline(chooseDirections, findMeans),
      adapt({ adapters, steps: repeat(steps, gradient(loss), stage.update(optimizer.adamW({ lr: schedule.cosine(lr) })), threshold) }),
      pipeline(largest, beside === "distance" ? project(subspace.past("B", chosen)) : nothing()),
      merge(chosen, { interpolation: { alpha: merged } }),
      protectFeatures,
      replay ? keepExamples(replayed.perClass) : nothing(),
      evaluate(),
    ),
  );
  return { ...made, title: nameOf(choice).replaceAll("+", " + ") };
};

/** Its name: what it chooses on every axis, but for what is not used. */
export const nameOf = ({ projection, selection, loss, beside, head, depth, merged, replay }: Composition): string =>
  [
    projection,
    ...(selection === "all" ? [] : [selection]),
    loss,
    ...(beside === "nothing" ? [] : [beside]),
    ...(head === "texts" ? [] : [head]),
    ...(depth ? ["depth"] : []),
    ...(merged === 1 ? [] : [`merged-${merged}`]),
    ...(replay ? ["replay"] : []),
  ].join("+");

/** KeepLoRA++'s stages with CoDyRA's loss: what most compositions change in one or two places. */
const kept: Composition = {
  projection: "gradients",
  selection: "all",
  loss: "matching",
  beside: "nothing",
  head: "texts",
  depth: true,
  merged: 1,
  replay: false,
};

/** CoDyRA's stages: what the others change. */
const gated: Composition = { ...kept, projection: "free", selection: "gates", depth: false };

/**
 * The compositions that are searched. KeepLoRA++ keeps nearly all that it learns and learns little; CoDyRA learns more and keeps less. So each of the first takes
 * something into KeepLoRA++'s directions that may make it learn more, and each of the second adds something to CoDyRA that may make it forget less. A cosine
 * head has rows for the classes of its own task alone, so none has replay, which puts other classes into a batch.
 */
export const compositions: readonly Composition[] = [
  kept,
  { ...kept, selection: "gates" },
  { ...kept, selection: "gates", loss: "images" },
  { ...kept, selection: "magnitude" },
  { ...kept, depth: false },
  { ...kept, beside: "distillation" },
  { ...kept, beside: "distance" },
  { ...kept, selection: "gates", beside: "distillation" },
  { ...kept, head: "cosine" },
  { ...kept, selection: "gates", head: "cosine" },
  { ...kept, head: "cosine", beside: "distillation" },
  { ...kept, projection: "inputs" },
  { ...kept, replay: true },
  { ...gated, depth: true },
  { ...gated, beside: "distillation" },
  { ...gated, depth: true, beside: "distillation" },
  { ...gated, merged: 0.6 },
  { ...gated, depth: true, merged: 0.6, beside: "distillation" },
  { ...gated, replay: true },
];
