/** `predictions.jsonl`: what the test pictures were taken for, and the questions answered with, after each task. */
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../failure.ts";
import type { Appender } from "../platform/files.ts";
import { predictionLine } from "../report/predictions.ts";
import { replyLine } from "../report/replies.ts";
import type { Event, Runtime } from "../training/runtime.ts";

/** How many of the likeliest classes of a picture are written down. */
const likeliest = 5;

/** The predictions of a run on their way into its file. */
export interface Predictions {
  readonly event: (event: Event) => void;
  /** Writes what has come since it was called last: so those of a task are in the file together, when the task is kept. */
  readonly flush: () => E.Either<Failure, void>;
  /** The size of the file in bytes. */
  readonly size: () => number;
}

/** What an event tells of predictions, as lines; `after` counts finished tasks, where that is known. */
export const predictedLines = (event: Event, after?: number): readonly string[] => {
  if (event.type === "predictions") return event.predictions.map((one) => predictionLine({ after, task: event.dataset, ...one }));
  return event.type === "replies" ? event.replies.map((one) => replyLine({ after, task: event.dataset, ...one })) : [];
};

/** Writes the predictions of a run into a file that grows; in it `after` counts finished tasks as the log does. */
export const predictionsTo = (file: Appender): Predictions => {
  let after = 0;
  let lines: string[] = [];
  return {
    event: (event) => {
      if (event.type === "task") after = event.learned;
      lines.push(...predictedLines(event, after));
    },
    flush: () => {
      const waiting = lines;
      lines = [];
      for (const line of waiting) {
        const written = file.write(line);
        if (E.isLeft(written)) return written;
      }
      return E.right(undefined);
    },
    size: file.size,
  };
};

/** A runtime whose evaluations are told of to predictions, too. */
export const predicting = (runtime: Runtime, { event: told }: Pick<Predictions, "event">): Runtime => ({
  ...runtime,
  top: likeliest,
  emit: (event) => {
    told(event);
    runtime.emit(event);
  },
});
