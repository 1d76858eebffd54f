/** The rows of an accuracy matrix as people read it: the model before the stream, then after each task, then the metrics of each dataset. */
import { meanOf } from "./metrics.ts";
import type { MetricName } from "./result.ts";
import { isStill, type Summary } from "./summary.ts";

/** One row: percent (points of forgetting) for each dataset, and over all of them. */
export interface MatrixRow {
  readonly kind: "zero-shot" | "task" | "metric";
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly mean: number | null;
}

const metrics: readonly (readonly [MetricName, string])[] = [
  ["gainKept", "Gain kept"],
  ["transfer", "Transfer"],
  ["average", "Average"],
  ["last", "Last"],
  ["forgetting", "Forgetting"],
];

/** All rows that say something: a model that trains nothing has no rows after tasks, and joint training one. */
export const matrixRows = (s: Summary): readonly MatrixRow[] => {
  const after = (row: readonly (number | null)[], i: number): readonly MatrixRow[] =>
    isStill(s) || row.every((x) => x === null) ? [] : [{ kind: "task", name: s.datasets[i], values: row, mean: meanOf(row) }];
  return [
    { kind: "zero-shot", name: "zero-shot", values: s.zeroShot, mean: meanOf(s.zeroShot) },
    ...s.matrix.flatMap(after),
    ...metrics.map(([name, heading]): MatrixRow => ({ kind: "metric", name: heading, values: s.perDataset[name], mean: s.metrics[name].mean })),
  ];
};
