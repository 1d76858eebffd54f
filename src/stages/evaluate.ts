/** `evaluate`: one row of the accuracy matrix. */
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pipe } from "fp-ts/lib/function.js";
import type { Failure } from "../failure.ts";
import type { Head } from "../model/adapters/adapter.ts";
import { isClip } from "../model/model.ts";
import type { LabelSpace, Stream, Task } from "../data/task.ts";
import type { Branch } from "../model/branch.ts";
import { prompts } from "./encode.ts";
import { encoder, type Encoder, type Features, type ImageFeatures } from "./features.ts";
import { labelSpace, type Evaluated, type Learner, type MaybeMerged } from "../training/lesson.ts";
import type { Runtime } from "../training/runtime.ts";
import { taskStage, type TaskStage } from "./stage.ts";

/** Corrects the logits of an image: what is added to those of each task's classes, by the position of the task, from what a branch noted of the image. */
export interface Calibration {
  readonly name: string;
  readonly options: unknown;
  readonly of: (learner: Learner, notes: Readonly<Record<string, Float32Array>>) => (image: number, position: number) => number;
}

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  /** `single`: the first template. `ensemble`: the mean of all templates' unit features, normalised again (METHODS.md F). Default `single`. */
  readonly templates?: "single" | "ensemble";
  /** Default: what the stream says. */
  readonly labelSpace?: LabelSpace;
  /** Other label spaces that the same images are scored in. Default: none. */
  readonly also?: readonly LabelSpace[];
}

/** What a method's evaluation has beside the options of its user. */
export interface Inference {
  /** A part of the model that is not merged. */
  readonly through?: Branch;
  readonly calibration?: Calibration;
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
const classFeatures =
  (encode: Encoder, embed: number, task: Task, templates: "single" | "ensemble"): TE.TaskEither<Failure, Features> =>
  async () => {
    const lists: Features[] = [];
    for (const template of templates === "single" ? task.templates.slice(0, 1) : task.templates) {
      const features = await encode.texts(prompts(template, task.classNames))();
      if (E.isLeft(features)) return features;
      lists.push(features.right);
    }
    return E.right(lists.length === 1 ? lists[0] : ensemble(lists, embed));
  };

/** The score of an image's features for a class of the stream, counted through all its tasks. */
type Score = (image: number, cls: number) => number;

const dot = (a: Float32Array, i: number, b: Float32Array, j: number, width: number): number => {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += a[i * width + k] * b[j * width + k];
  return sum;
};

/** What a head says: a linear one x · row + bias, a cosine one its scale times the cosine. Classes that it has no row for get nothing. */
const headScore = ({ kind, scale, rows, bias }: Head, { data }: Features, embed: number): Score => {
  const known = bias.length;
  if (kind === "linear") return (i, c) => (c < known ? dot(data, i, rows, c, embed) + bias[c] : 0);
  const norms = Array.from({ length: known }, (_, c) => Math.sqrt(dot(rows, c, rows, c, embed)) || 1);
  // Only a CLIP has a cosine head, and its features are unit rows.
  return (i, c) => (c < known ? (scale * dot(data, i, rows, c, embed)) / norms[c] : 0);
};

/** The class of the highest score among those of `tasks`: the first of equals. */
const best = (
  image: number,
  score: Score,
  tasks: readonly { readonly position: number; readonly first: number; readonly count: number }[],
  correction: (image: number, position: number) => number,
): number => {
  let [found, highest] = [-1, -Infinity];
  for (const { position, first, count } of tasks) {
    const added = correction(image, position);
    for (let c = first; c < first + count; c++) {
      const s = score(image, c) + added;
      if (s > highest) [found, highest] = [c, s];
    }
  }
  return found;
};

/**
 * Accuracy, percent, on the test split of every task of a stream, for a learner that has learned the first `learned` tasks. A task is scored by
 * exp(logit scale) · cos(image, class text) for a CLIP, plus what the learner's head says; a ViT by its head alone, and null where the head
 * has no row for the task's classes.
 */
export const accuracies =
  (learner: Learner, stream: Stream, learned: number, options: EvaluateOptions & Inference = {}): ((runtime: Runtime) => TE.TaskEither<Failure, Evaluated>) =>
  (runtime) =>
  async () => {
    const { templates = "single", labelSpace: space = stream.labelSpace, also = [], through, calibration } = options;
    const { model, head } = learner;
    const { embed } = model.config;
    const rowsOfHead = head?.bias.length ?? 0;
    const clip = isClip(model);
    const firsts = stream.tasks.map((_, j) => stream.tasks.slice(0, j).reduce((n, t) => n + t.classNames.length, 0));
    const scored = stream.tasks.map((task, j) => clip || firsts[j] + task.classNames.length <= rowsOfHead);
    const datasets = scored.filter((s) => s).length;
    if (datasets > 0) runtime.emit({ type: "evaluating", datasets });
    const made = encoder(learner, runtime, through);
    if (E.isLeft(made)) return made;
    const encode = made.right;
    try {
      const classes: Features[] = [];
      for (const task of clip ? stream.tasks : []) {
        const features = await classFeatures(encode, embed, task, templates)();
        if (E.isLeft(features)) return features;
        classes.push(features.right);
      }
      const texts = Float32Array.from(classes.flatMap(({ data }) => [...data]));
      const logitScale = clip ? Math.exp(model.weights.get("logit_scale")!.data[0]) : 0;
      const scoreOf = (images: ImageFeatures): Score => {
        const own: Score = (i, c) => logitScale * dot(images.data, i, texts, c, embed);
        if (head === undefined) return own;
        const said = headScore(head, images, embed);
        return clip ? (i, c) => own(i, c) + said(i, c) : said;
      };
      const spaces = [space, ...also];
      const rows = spaces.map((): (number | null)[] => stream.tasks.map(() => null));
      for (const [j, task] of stream.tasks.entries()) {
        if (!scored[j]) continue;
        const examples = await task.test();
        if (E.isLeft(examples)) return examples;
        const images = await encode.images(task, examples.right)();
        if (E.isLeft(images)) return images;
        const { count, labels, notes } = images.right;
        const score = scoreOf(images.right);
        const uncorrected = (): number => 0;
        const calibrated = calibration?.of(learner, notes) ?? uncorrected;
        spaces.forEach((each, k) => {
          const candidates = labelSpace(stream, j, learned, each)
            .tasks.map((t) => stream.tasks.indexOf(t))
            .filter((position) => scored[position])
            .map((position) => ({ position, first: firsts[position], count: stream.tasks[position].classNames.length }));
          // Where the task of an image is given there is none to predict.
          const correction = candidates.length > 1 ? calibrated : uncorrected;
          const hits = labels.reduce((n, label, i) => n + (best(i, score, candidates, correction) === firsts[j] + label ? 1 : 0), 0);
          const accuracy = (100 * hits) / Math.max(1, count);
          rows[k][j] = accuracy;
          if (k === 0) runtime.emit({ type: "evaluation", dataset: task.name, correct: hits, total: count, accuracy });
        });
      }
      const others = Object.fromEntries(also.map((each, k) => [each, rows[k + 1]]));
      return E.right({ row: rows[0], ...(also.length > 0 ? { also: others } : {}) });
    } finally {
      encode.release();
    }
  };

/** Scores the learner's model on the test split of every task of the stream. */
export const evaluate = (options: EvaluateOptions = {}, { through, calibration }: Inference = {}): TaskStage<MaybeMerged, MaybeMerged & Evaluated> => {
  const beside = {
    ...(through === undefined ? {} : { through: { [through.name]: through.options } }),
    ...(calibration === undefined ? {} : { calibration: { [calibration.name]: calibration.options } }),
  };
  return taskStage("evaluate", { ...options, ...beside }, (lesson) => (runtime) => {
    const { learner, task, position, stream } = lesson;
    // A task that is none of the stream's is all of them, pooled.
    const learned = stream.tasks.includes(task) ? position + 1 : stream.tasks.length;
    return pipe(
      accuracies(learner, stream, learned, { ...options, through, calibration })(runtime),
      TE.map((evaluated) => ({ ...lesson, ...evaluated })),
    );
  });
};
