/** What test pictures were taken for: `predictions.jsonl`, a line a picture. */
import * as t from "io-ts";
import { list } from "../formats/json.ts";
import { natural, share } from "./codec.ts";
import { decodeLines, jsonLine, type LinesDecoder } from "./jsonLines.ts";

/** The likeliest classes of a picture, the best first, each with its share in the softmax over all that the picture was scored among. */
export type Top = readonly { readonly label: string; readonly score: number }[];

/** A picture that was scored: its id, the name of its class with the share of that, and the likeliest classes. */
export interface Prediction {
  readonly sample: string;
  readonly label: string;
  readonly score: number;
  readonly top: Top;
}

/** A line: a picture of the test split of `task`, and after how many tasks it was scored; 0 is zero-shot, and nothing is said where nothing was learned. */
export interface PredictionRecord extends Prediction {
  readonly after?: number;
  readonly task: string;
}

const record = t.intersection([
  t.type({ task: t.string, sample: t.string, label: t.string, score: share, top: list(t.type({ label: t.string, score: share })) }),
  t.partial({ after: natural }),
]);

/** Digits of a share in a file: more than f32 computes. */
const digits = 7;
const rounded = (score: number): number => Number(score.toPrecision(digits));

/** A record as one JSON line, newline included, with seven digits of each share. */
export const predictionLine = ({ after, task, sample, label, score, top }: PredictionRecord): string =>
  jsonLine({ after, task, sample, label, score: rounded(score), top: top.map((one) => ({ label: one.label, score: rounded(one.score) })) });

/**
 * Reads the lines of `predictions.jsonl`; a last line that was cut off is left out, any other bad line is a `FileCorrupt` failure.
 *
 * ```ts
 * const cat = { after: 1, task: "pets", sample: "a.jpg", label: "cat", score: 0.25, top: [{ label: "dog", score: 0.75 }, { label: "cat", score: 0.25 }] };
 * const read = report.decodePredictions("predictions.jsonl")(report.predictionLine(cat));
 * assert.ok(read._tag === "Right");
 * assert.deepEqual(read.right, [cat]);
 * ```
 */
export const decodePredictions: LinesDecoder<PredictionRecord> = decodeLines(record, "a prediction");
