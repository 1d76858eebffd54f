/** Scores of images for classes, and the answers that follow. */
import type { Head } from "../model/adapters/adapter.ts";
import type { Features } from "./imageFeatures.ts";

/** The score of an image for a class of the stream, counted through all its tasks. */
export type Score = (image: number, cls: number) => number;

/** The classes of a task: how many, and the number of the first. */
export interface Candidates {
  readonly position: number;
  readonly first: number;
  readonly count: number;
}

const dot = (a: Float32Array, i: number, b: Float32Array, j: number, width: number): number => {
  let sum = 0;
  for (let k = 0; k < width; k++) sum += a[i * width + k] * b[j * width + k];
  return sum;
};

/**
 * The mean of several lists of unit features, normalised again.
 *
 * ```ts
 * const features = stage.ensemble([{ count: 1, data: Float32Array.of(1, 0) }, { count: 1, data: Float32Array.of(0, 1) }], 2);
 * assert.deepEqual([...features.data], [Math.fround(Math.SQRT1_2), Math.fround(Math.SQRT1_2)]);
 * ```
 */
export const ensemble = (lists: readonly Features[], width: number): Features => {
  const [{ count }] = lists;
  const data = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    let norm = 0;
    for (let j = 0; j < width; j++) {
      const mean = lists.reduce((s, l) => s + l.data[i * width + j], 0) / lists.length;
      data[i * width + j] = mean;
      norm += mean * mean;
    }
    for (let j = 0; j < width; j++) data[i * width + j] /= Math.sqrt(norm) || 1;
  }
  return { count, data };
};

/** Scores by the features of the classes' texts: scale · (image · text). */
export const textScore =
  (scale: number, images: Features, texts: Float32Array, width: number): Score =>
  (i, c) =>
    scale * dot(images.data, i, texts, c, width);

/**
 * Scores by a head: x · row + bias of a linear one, scale · (x · row) / ‖row‖ of a cosine one, where the length of x is that of all classes. Classes that the
 * head has no row for get 0.
 */
export const headScore = ({ kind, scale, rows, bias }: Head, { data }: Features, width: number): Score => {
  const classes = bias.length;
  if (kind === "linear") return (i, c) => (c < classes ? dot(data, i, rows, c, width) + bias[c] : 0);
  const norms = Array.from({ length: classes }, (_, c) => Math.sqrt(dot(rows, c, rows, c, width)) || 1);
  return (i, c) => (c < classes ? (scale * dot(data, i, rows, c, width)) / norms[c] : 0);
};

/**
 * What is added to the logits of an image for the classes of the task at a position. It may be -Infinity; where it is that for all tasks that are asked about,
 * nothing is added.
 */
export type Correction = (image: number, position: number) => number;

/** Visits the classes of some tasks with their corrected scores for an image; false where a score is no number. */
const eachScore = (image: number, score: Score, tasks: readonly Candidates[], correction: Correction, visit: (cls: number, score: number) => void): boolean => {
  const corrections = tasks.map(({ position }) => correction(image, position));
  // The image is taken for one of a task that is not among these: nothing tells these apart but their scores.
  const noneLeft = corrections.every((added) => added === -Infinity);
  for (const [i, { first, count }] of tasks.entries()) {
    const added = noneLeft ? 0 : corrections[i];
    for (let c = first; c < first + count; c++) {
      const uncorrected = score(image, c);
      const s = uncorrected + added;
      if (!Number.isFinite(uncorrected) || Number.isNaN(s)) return false;
      visit(c, s);
    }
  }
  return true;
};

/** The class of the highest score among those of some tasks: the first of equals; undefined where a score is not finite. */
export const best = (image: number, score: Score, tasks: readonly Candidates[], correction: Correction): number | undefined => {
  let [found, highest] = [-1, -Infinity];
  const finite = eachScore(image, score, tasks, correction, (c, s) => {
    if (s > highest) [found, highest] = [c, s];
  });
  return finite ? found : undefined;
};

/** A class, and how likely it is: its share in the softmax over the scores of all. */
export interface Likely {
  readonly cls: number;
  readonly score: number;
}

/**
 * The classes of some tasks, the likeliest first, and the first of equals. Of classes with one name the best stands for all, under the number that `name` has
 * for them. Undefined where a score is not finite.
 */
export const ranking = (
  image: number,
  score: Score,
  tasks: readonly Candidates[],
  correction: Correction,
  name: readonly number[],
): readonly Likely[] | undefined => {
  const scores = new Map<number, number>();
  const finite = eachScore(image, score, tasks, correction, (c, s) => scores.set(name[c], Math.max(s, scores.get(name[c]) ?? -Infinity)));
  if (!finite) return undefined;
  const ranked = [...scores].sort(([, a], [, b]) => (a === b ? 0 : b - a));
  const highest = ranked[0]?.[1] ?? 0;
  const parts = ranked.map(([, s]) => Math.exp(s - highest));
  const whole = parts.reduce((sum, part) => sum + part, 0);
  return ranked.map(([cls], i) => ({ cls, score: parts[i] / whole }));
};
