/** Shows the events of a run as progress: a bar for the steps of a task, a bar for every evaluation, probes by name, a line for what was skipped. */
import { legible } from "../failure.ts";
import { bytes, fixed, missing } from "../report/format.ts";
import { meanOf } from "../report/metrics.ts";
import type { Downloading } from "../platform/hub.ts";
import type { Bar, Progress } from "../report/progress.ts";
import type { Event } from "../training/runtime.ts";

/** Takes the events of runs one after the other. */
export interface Watcher {
  readonly event: (event: Event | Downloading) => void;
  /** Ends a bar that is under way, because its run has ended early. */
  readonly stop: () => void;
  /** Samples left out so far, each counted once. */
  readonly skipped: () => number;
}

const percent = (x: number | null): string => (x === null ? missing : `${fixed(1)(x)} %`);

/** Options of {@link watch}. */
export interface WatchOptions {
  /** Milliseconds that the preparation of a first step may take before it is spoken of. Default 3,000. */
  readonly patience?: number;
}

/** Does something when a time is over, unless that has an end before. */
const late = (milliseconds: number, act: () => void): { readonly begin: () => void; readonly end: () => void } => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return { begin: () => void (timer = setTimeout(act, milliseconds)), end: () => clearTimeout(timer) };
};

/** What is said between the beginning of a training and what its steps need: they are traced, and nothing is to be seen of that. */
const preparation = "preparing the first step: its kernels are chosen and compiled";

/** A watcher that writes to `progress`. */
export const watch = (progress: Progress, { patience = 3_000 }: WatchOptions = {}): Watcher => {
  let bar: Bar | undefined;
  const preparing = late(patience, () => progress.line(preparation));
  let row: readonly (number | null)[] = [];
  let probes: readonly string[] = [];
  let datasets = 0;
  let downloading: string | undefined;
  let needed = 0;
  const skipped = new Set<string>();
  const stop = (): void => {
    preparing.end();
    bar?.stop();
    bar = undefined;
  };
  const start = (label: string, total: number, unit?: (n: number) => string): void => {
    stop();
    bar = progress.start(label, total, unit);
  };
  const finish = (note: string): void => {
    bar?.done(note);
    bar = undefined;
  };
  return {
    event: (event) => {
      switch (event.type) {
        case "downloading": {
          const { repository, bytes: done, total, file, files } = event;
          if (downloading !== repository) start(`download ${repository}`, total, bytes);
          downloading = repository;
          bar?.update(done, `file ${file} of ${files}`);
          if (done < total) return;
          downloading = undefined;
          return finish(`${files} ${files === 1 ? "file" : "files"}`);
        }
        case "note":
          return progress.line(event.detail);
        case "training":
          start(`learn ${event.task}`, event.steps);
          return preparing.begin();
        case "memory": {
          preparing.end();
          const all = event.weights + event.rest;
          // Steps of all tasks need nearly the same, as a rule.
          if (all < 1.05 * needed) return;
          needed = all;
          return progress.line(`a step needs ${bytes(all)} on the device, ${bytes(event.weights)} of it for weights`);
        }
        case "step": {
          preparing.end();
          const note = `loss ${fixed(3)(event.losses.loss)}`;
          bar?.update(event.step + 1, note);
          return event.step + 1 === event.steps ? finish(note) : undefined;
        }
        case "evaluating":
          [row, probes, datasets] = [[], [], event.datasets];
          return start("evaluate", datasets);
        case "evaluation":
          if (event.probe) probes = [...probes, `probe ${event.dataset} ${percent(event.accuracy)}`];
          else row = [...row, event.accuracy];
          bar?.update(row.length + probes.length, `${event.dataset} ${percent(event.accuracy)}`);
          return row.length + probes.length === datasets ? finish([`mean ${percent(meanOf(row))}`, ...probes].join(", ")) : undefined;
        case "skipped":
          if (skipped.has(event.id)) return;
          skipped.add(event.id);
          return progress.line(`skipped ${legible(event.id)}: ${legible(event.detail)}`);
      }
    },
    stop,
    skipped: () => skipped.size,
  };
};
