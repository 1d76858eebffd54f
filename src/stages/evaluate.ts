/** `evaluate`: one row of the accuracy matrix. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { Clip } from "../model/folder.ts";
import type { LabelSpace, Stream, Task } from "../stream/task.ts";
import { prompts } from "./encode.ts";
import { encoder, type Encoder, type Features } from "./features.ts";
import { labelSpace, type Evaluated, type MaybeMerged } from "./learner.ts";
import type { Runtime } from "./runtime.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** `single`: the first template. `ensemble`: the mean of all templates' unit features, normalised again (METHODS.md F). Default `single`. */
  readonly templates?: "single" | "ensemble";
  /** Default: what the stream says. */
  readonly labelSpace?: LabelSpace;
}

/**
 * The mean of several lists of unit features, normalised again.
 *
 * ```ts
 * const features = ensemble([{ count: 1, data: Float32Array.of(1, 0) }, { count: 1, data: Float32Array.of(0, 1) }], 2);
 * assert.deepEqual([...features.data], [Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2)]);
 * ```
 */
export const ensemble = (lists: readonly Features[], embed: number): Features => {
  const [{ count }] = lists;
  const data = new Float32Array(count * embed);
  for (let i = 0; i < count; i++) {
    let norm = 0;
    for (let j = 0; j < embed; j++) {
      const mean = lists.reduce((s, l) => s + l.data[i * embed + j], 0) / lists.length;
      data[i * embed + j] = mean;
      norm += mean * mean;
    }
    for (let j = 0; j < embed; j++) data[i * embed + j] /= Math.sqrt(norm) || 1;
  }
  return { count, data };
};

/** Unit text features of a task's classes. */
const classFeatures = (encode: Encoder, clip: Clip, task: Task, templates: "single" | "ensemble"): TE.TaskEither<Failure, Features> => async () => {
  const lists: Features[] = [];
  for (const template of templates === "single" ? task.templates.slice(0, 1) : task.templates) {
    const features = await encode.texts(prompts(template, task.classNames))();
    if (E.isLeft(features)) return features;
    lists.push(features.right);
  }
  return E.right(lists.length === 1 ? lists[0] : ensemble(lists, clip.config.embed));
};

/** How many images are nearest to their own class: cosine, the first of equals. */
const correct = (images: Features & { readonly labels: Uint32Array }, classes: Features, offset: number, embed: number): number => {
  let hits = 0;
  for (let i = 0; i < images.count; i++) {
    let [best, bestScore] = [-1, -Infinity];
    for (let c = 0; c < classes.count; c++) {
      let score = 0;
      for (let j = 0; j < embed; j++) score += images.data[i * embed + j] * classes.data[c * embed + j];
      if (score > bestScore) [best, bestScore] = [c, score];
    }
    if (best === offset + images.labels[i]) hits += 1;
  }
  return hits;
};

/** Accuracy, percent, on the test split of every task of a stream. */
export const accuracies = (
  clip: Clip, stream: Stream, options: EvaluateOptions = {},
): ((runtime: Runtime) => TE.TaskEither<Failure, readonly number[]>) => (runtime) => async () => {
  const { templates = "single", labelSpace: space } = options;
  runtime.emit({ type: "evaluating", datasets: stream.tasks.length });
  const made = encoder(clip, runtime);
  if (E.isLeft(made)) return made;
  const encode = made.right;
  const { embed } = clip.config;
  try {
    const classes: Features[] = [];
    for (const task of stream.tasks) {
      const features = await classFeatures(encode, clip, task, templates)();
      if (E.isLeft(features)) return features;
      classes.push(features.right);
    }
    const union: Features = {
      count: classes.reduce((n, c) => n + c.count, 0),
      data: Float32Array.from(classes.flatMap(({ data }) => [...data])),
    };
    const row: number[] = [];
    for (const [j, task] of stream.tasks.entries()) {
      const samples = await task.test();
      if (E.isLeft(samples)) return samples;
      const images = await encode.images(samples.right)();
      if (E.isLeft(images)) return images;
      const { tasks, offset } = labelSpace(stream, j, space);
      const hits = correct(images.right, tasks.length === 1 ? classes[j] : union, offset, embed);
      const accuracy = (100 * hits) / Math.max(1, images.right.count);
      runtime.emit({ type: "evaluation", dataset: task.name, correct: hits, total: images.right.count, accuracy });
      row.push(accuracy);
    }
    return E.right(row);
  } finally {
    encode.release();
  }
};

/** Scores the learner's model on the test split of every task of the stream. */
export const evaluate = (options: EvaluateOptions = {}): TaskStage<MaybeMerged, MaybeMerged & Evaluated> =>
  taskStage("evaluate", options, (lesson) => (runtime) =>
    TE.map((row: readonly number[]) => ({ ...lesson, row }))(accuracies(lesson.learner.clip, lesson.stream, options)(runtime)),
  );
