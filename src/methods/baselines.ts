/** The baselines that every method is compared with: no learning, plain LoRA one task after another, and all tasks at once. */
import {
  adapt,
  evaluate,
  gradient,
  merge,
  method,
  pipeline,
  pool,
  repeat,
  scan,
  skip,
  type Evaluated,
  type Lesson,
  type MaybeMerged,
  type TaskStage,
} from "../stages/index.ts";
import { adapter, objective } from "./vocabulary.ts";
import { declareMethod, type OptionsOf, type Values } from "./declare.ts";
import { common, cosineDescent, croppedBatches } from "./plain.ts";

/** One LoRA on the data of one task, merged. */
const lesson = (o: Values<typeof common>): TaskStage<Lesson, MaybeMerged & Evaluated> =>
  pipeline(
    croppedBatches(o),
    adapt({
      adapters: adapter.lora({ rank: o.rank, modules: o.modules, towers: o.towers }),
      steps: repeat(o.steps, gradient(objective.matching), cosineDescent(o)),
    }),
    merge(),
    evaluate(o.evaluate),
  );

/** Learns nothing. */
export const zeroShot = declareMethod({ name: "zero-shot", does: "the model as it is", options: {} }, () => skip);

/** A plain LoRA for every task, trained and merged one after another: what forgets. */
export const sequentialLora = declareMethod(
  { name: "sequential-lora", title: "sequential LoRA", paper: "2106.09685", does: "one LoRA after another, each merged", options: common },
  (o) => scan(lesson(o)),
);

/** One LoRA trained on all tasks' data at once, `steps` in all: what cannot forget, and no continual learner may do. */
export const joint = declareMethod({ name: "joint", does: "one LoRA on the data of all tasks at once", options: common }, (o) =>
  pipeline(pool, method("lora", o, lesson(o))),
);

/** Options of the baselines: those of CoDyRA where both have them, so that a comparison differs in the method alone. */
export type LoraMethodOptions = OptionsOf<typeof sequentialLora>;
