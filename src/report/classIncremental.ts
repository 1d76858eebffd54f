/** Metrics over what has been seen so far, as pure functions of the accuracy matrix. */
import { accuracyAt, meanOf, type AccuracyMatrix } from "./metrics.ts";

/** Class-incremental accuracies in percent: `seen[t]` = A_t over all classes seen after task t, `final` = A_T, `mean` over the sessions. */
export interface ClassIncremental {
  readonly seen: readonly (number | null)[];
  readonly final: number | null;
  readonly mean: number | null;
}

/**
 * Class-incremental A_t and their mean (METHODS.md E.4). `testSizes` are the test images of each task: A_t is over images, so tasks weigh
 * by them. Cells to the right of the diagonal (classes not seen yet) are not read.
 *
 * ```ts
 * const m = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * // One test image of pets, three of cars.
 * assert.deepEqual(classIncremental([1, 3])(m), { seen: [90, 72.5], final: 72.5, mean: 81.25 });
 * ```
 */
export const classIncremental =
  (testSizes: readonly number[]) =>
  (m: AccuracyMatrix): ClassIncremental => {
    const size = m.datasets.length;
    const seen = m.datasets.map((_, t) => {
      const tasks = m.datasets.slice(0, t + 1).map((_name, j) => j);
      const images = tasks.reduce((n, j) => n + (testSizes[j] ?? 0), 0);
      const cells = tasks.map((j) => accuracyAt(m, t, j));
      if (images === 0 || cells.includes(null)) return null;
      return tasks.reduce((sum, j) => sum + (cells[j] ?? 0) * (testSizes[j] ?? 0), 0) / images;
    });
    return { seen, final: seen[size - 1] ?? null, mean: meanOf(seen) };
  };

/**
 * MAA, the mean average accuracy of streams of questions: the mean over the tasks learned of the mean accuracy on all tasks seen by then, each task alike. Its
 * companions have other names here: MFT is the mean of `learned`, MFN (TRACE's OP) that of `last`, and BWT that of `bwt`.
 *
 * ```ts
 * const m = { datasets: ["iconqa", "flickr"], rows: [[90, 40], [80, 70]] };
 * assert.equal(maa(m), 82.5);
 * ```
 */
export const maa = (m: AccuracyMatrix): number | null => classIncremental(m.datasets.map(() => 1))(m).mean;
