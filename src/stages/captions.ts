/** What stands beside the images of a batch: the prompts of their classes, and which image matches which. */
import type { TextBatch } from "../formats/tokenizer.ts";
import type { HostRecord } from "../tensor/replay.ts";

/**
 * The prompts of classes under one template.
 *
 * ```ts
 * assert.deepEqual(stage.prompts("a photo of a {c}.", ["cat", "dog"]), ["a photo of a cat.", "a photo of a dog."]);
 * assert.deepEqual(stage.prompts("{c} or {c}", ["$&"]), ["$& or $&"]);
 * ```
 */
export const prompts = (template: string, classNames: readonly string[]): readonly string[] => classNames.map((name) => template.replaceAll("{c}", () => name));

/**
 * Multi-hot targets [images, texts] and their transpose from labels: image i matches text `labels[i]`.
 *
 * ```ts
 * const labels = Uint32Array.of(1, 0, 1);
 * assert.deepEqual([...stage.targets(labels, 2).targets], [0, 1, 1, 0, 0, 1]);
 * assert.deepEqual([...stage.targets(labels, 2).transposedTargets], [0, 1, 0, 1, 0, 1]);
 * ```
 */
export const targets = (labels: Uint32Array, texts: number): { readonly targets: Float32Array; readonly transposedTargets: Float32Array } => {
  const images = labels.length;
  const [rows, columns] = [new Float32Array(images * texts), new Float32Array(images * texts)];
  labels.forEach((label, i) => {
    rows[i * texts + label] = 1;
    columns[label * images + i] = 1;
  });
  return { targets: rows, transposedTargets: columns };
};

/** Texts and targets of a step, from the labels of its images. */
export interface Captions {
  readonly texts: number;
  readonly length: number;
  readonly of: (labels: Uint32Array) => HostRecord;
}

/** Targets alone, for an architecture that reads no texts. */
export const withoutTexts = (classes: number): Captions => ({ texts: classes, length: 0, of: (labels) => ({ ...targets(labels, classes) }) });

/** The prompts of all classes, the same in every step. */
export const ofClasses = ({ ids, ends, count, length }: TextBatch): Captions => ({
  texts: count,
  length,
  of: (labels) => ({ ...targets(labels, count), ids, ends }),
});

/**
 * The prompt of every image's class, and targets that share each row's weight among the images of one class, T_ij = 1[y_i = y_j] / #{k: y_k = y_i} (DAC,
 * METHODS.md C.3.1).
 */
export const ofImages = ({ ids, ends, length }: TextBatch, images: number): Captions => ({
  texts: images,
  length,
  of: (labels) => {
    const [rows, last] = [new Uint32Array(images * length), new Uint32Array(images)];
    const soft = new Float32Array(images * images);
    labels.forEach((label, i) => {
      rows.set(ids.subarray(label * length, (label + 1) * length), i * length);
      last[i] = i * length + ends[label] - label * length;
      const same = labels.reduce((n, other) => n + (other === label ? 1 : 0), 0);
      labels.forEach((other, j) => (soft[i * images + j] = other === label ? 1 / same : 0));
    });
    // T is its own transpose: images of one class have the same divisor.
    return { ids: rows, ends: last, targets: soft, transposedTargets: soft };
  },
});
