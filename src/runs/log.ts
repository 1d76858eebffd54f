/** The log of a run: its events as records. */
import { meanOf } from "../report/metrics.ts";
import type { LogRecord, StepRecord } from "../report/log.ts";
import type { Event } from "../training/runtime.ts";

/** What of the numbers of a step is logged. */
const logged = ({ loss, lossScale }: Readonly<Record<string, number>>): Pick<StepRecord, "loss" | "lossScale"> => ({
  loss,
  ...(lossScale === undefined ? {} : { lossScale }),
});

/**
 * Turns the events of a run into the records of its log. In them `task` counts finished tasks: a step of the second task, and what is
 * measured after it, have 2, zero-shot has 0; the one lesson of joint training holds all tasks and has their number.
 */
export const logEvents = (method: string, seed: number, write: (record: LogRecord) => void): ((event: Event) => void) => {
  let [task, dataset, began] = [0, "", 0];
  return (event) => {
    const head = { method, seed, task };
    switch (event.type) {
      case "task":
        [task, dataset, began] = [event.learned, event.task, performance.now()];
        return;
      case "step":
        return write({ type: "step", ...head, dataset, step: event.step + 1, steps: event.steps, ...logged(event.losses) });
      case "evaluation":
        return write({ type: event.probe ? "probe" : "eval", ...head, dataset: event.dataset, accuracy: event.accuracy, images: event.total });
      case "lesson": {
        const effectiveRank = meanOf([...(event.report.trained?.ranks.values() ?? [])]);
        return write({
          type: "task",
          ...head,
          dataset,
          effectiveRank,
          mergeError: event.report.mergeError ?? null,
          seconds: (performance.now() - began) / 1000,
        });
      }
    }
  };
};
