/** A model on test pictures, without any training: accuracies by dataset, and their table. */
import type { LabelSpace } from "../data/task.ts";
import { printable } from "../data/leftOut.ts";
import { count, fixed, missing } from "./format.ts";
import { meanOf } from "./metrics.ts";
import { alignLeft, alignRight } from "./table.ts";

/** A dataset that was scored. */
export interface DatasetScore {
  readonly dataset: string;
  /** Percent of its pictures that were answered rightly, by label space; null where none of them could be read. */
  readonly accuracy: Readonly<Partial<Record<LabelSpace, number | null>>>;
  /** Percent that guessing answers rightly, by label space. */
  readonly chance: Readonly<Partial<Record<LabelSpace, number>>>;
  readonly classes: number;
  /** Pictures, or questions, that were scored. */
  readonly images: number;
  /** Of a dataset that is answered in words: what it scores in percent, by the name of the score, its own first. */
  readonly scores?: Readonly<Record<string, number | null>>;
}

/** What came of an evaluation. */
export interface Evaluation {
  /** What pictures are scored among, the first first: the classes of their dataset, or of all; none where datasets are answered in words. */
  readonly labelSpaces: readonly LabelSpace[];
  readonly datasets: readonly DatasetScore[];
  /** Over datasets that have an accuracy, by label space. */
  readonly mean: Readonly<Partial<Record<LabelSpace, number | null>>>;
  /** Whether classes are told by the first template of their dataset, or by the mean of all. */
  readonly templates: "single" | "ensemble";
  readonly adapter: string;
  /** Samples that could not be read and were left out. */
  readonly skipped: number;
}

/** The mean accuracy over datasets, by label space. */
export const meansOf = (datasets: readonly DatasetScore[], spaces: readonly LabelSpace[]): Evaluation["mean"] =>
  Object.fromEntries(spaces.map((space) => [space, meanOf(datasets.map(({ accuracy }) => accuracy[space] ?? null))]));

const among: Readonly<Record<LabelSpace, string>> = { task: "own classes", union: "all classes", seen: "learned classes" };

const capitalised = (word: string): string => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;

/**
 * An evaluation as text for people: accuracy and chance in percent, classes and pictures by dataset, and the means where there are several datasets.
 *
 * ```ts
 * const pets = { dataset: "pets", accuracy: { task: 75 }, chance: { task: 50 }, classes: 2, images: 40 };
 * const evaluation = { labelSpaces: ["task" as const], datasets: [pets], mean: { task: 75 }, templates: "single" as const, adapter: "", skipped: 0 };
 * assert.match(report.evaluationTable(evaluation), /pets +75\.0 +50\.0 +2 +40/);
 * ```
 */
export const evaluationTable = ({ datasets, labelSpaces, mean }: Evaluation): string => {
  const several = datasets.length > 1;
  const percent = (value: number | null | undefined): string => (value === undefined || value === null ? missing : fixed(1)(value));
  const scores = [...new Set(datasets.flatMap((dataset) => Object.keys(dataset.scores ?? {})))];
  const ofScore = (name: string): readonly (number | null)[] => datasets.map((dataset) => dataset.scores?.[name] ?? null);
  const ofClasses = labelSpaces.length > 0;
  const columns = [
    alignLeft(["Dataset", ...datasets.map(({ dataset }) => printable(dataset)), ...(several ? ["mean"] : [])]),
    ...scores.map((name) => alignRight([capitalised(name), ...ofScore(name).map(percent), ...(several ? [percent(meanOf(ofScore(name)))] : [])])),
    ...labelSpaces.flatMap((space) => {
      const what = labelSpaces.length === 1 ? "" : ` among ${among[space]}`;
      const means = several ? [percent(mean[space]), percent(meanOf(datasets.map(({ chance }) => chance[space] ?? null)))] : [];
      return [
        alignRight([`Accuracy${what}`, ...datasets.map(({ accuracy }) => percent(accuracy[space])), ...means.slice(0, 1)]),
        alignRight(["Chance", ...datasets.map(({ chance }) => percent(chance[space])), ...means.slice(1)]),
      ];
    }),
    ...(ofClasses ? [alignRight(["Classes", ...datasets.map(({ classes }) => count(classes)), ...(several ? [""] : [])])] : []),
    alignRight([ofClasses ? "Pictures" : "Questions", ...datasets.map(({ images }) => count(images)), ...(several ? [""] : [])]),
  ];
  const [head, ...rows] = columns[0].map((_, row) =>
    columns
      .map((column) => column[row])
      .join("  ")
      .trimEnd(),
  );
  return [head, "\u2500".repeat(head.length), ...rows].join("\n");
};
