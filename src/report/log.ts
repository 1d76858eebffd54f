/** The JSON lines that a run writes: one a step, one a measured cell of the matrix or a measured probe, one a finished task. */
import * as t from "io-ts";
import { finite, natural, nonNegative, nullable, percent } from "./codec.ts";
import { decodeLines, jsonLine, type LinesDecoder } from "./jsonLines.ts";

/** One optimiser step: `task` and `step` count from 1. */
export interface StepRecord {
  readonly type: "step";
  readonly method: string;
  readonly seed: number;
  readonly task: number;
  readonly dataset: string;
  readonly step: number;
  readonly steps: number;
  readonly loss: number;
  /** The scale of the loss, in mixed precision. */
  readonly lossScale?: number;
}

/**
 * Accuracy in percent on `dataset` after `task` tasks (0 is zero-shot); `null` where none of its images could be read. `eval` is one cell of the matrix,
 * `probe` is of a dataset that is never learned.
 */
export interface EvalRecord {
  readonly type: "eval" | "probe";
  readonly method: string;
  readonly seed: number;
  readonly task: number;
  readonly dataset: string;
  readonly accuracy: number | null;
  readonly images: number;
}

/** One task finished: its mean effective rank (`null` where it has no meaning), the measured error of the merge, its wall time. */
export interface TaskRecord {
  readonly type: "task";
  readonly method: string;
  readonly seed: number;
  readonly task: number;
  readonly dataset: string;
  readonly effectiveRank: number | null;
  readonly mergeError: number | null;
  readonly seconds: number;
}

/** One line of a run's log. */
export type LogRecord = StepRecord | EvalRecord | TaskRecord;

const recordHead = { method: t.string, seed: finite, task: natural, dataset: t.string };

/** The codec of one JSON line. */
export const LogRecordCodec: t.Type<LogRecord, unknown> = t.union([
  t.intersection([t.type({ type: t.literal("step"), ...recordHead, step: natural, steps: natural, loss: finite }), t.partial({ lossScale: finite })]),
  t.type({ type: t.keyof({ eval: null, probe: null }), ...recordHead, accuracy: nullable(percent), images: natural }),
  t.type({ type: t.literal("task"), ...recordHead, effectiveRank: nullable(nonNegative), mergeError: nullable(nonNegative), seconds: nonNegative }),
]);

/** A record as one JSON line, newline included. */
export const logLine: (record: LogRecord) => string = jsonLine;

/** Reads the lines of a log; a last line that was cut off by a stop is left out, any other bad line is a `FileCorrupt` failure. */
export const decodeLog: LinesDecoder<LogRecord> = decodeLines(LogRecordCodec, "a record of a run");
