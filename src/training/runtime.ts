/** What task-scale stages run in. */
import type { Device } from "../device/device.ts";
import type { Skipped } from "../data/loader.ts";
import type { ImageCache } from "../data/imageCache.ts";
import type { Learner } from "../model/learner.ts";
import type { Keeper } from "./keeper.ts";
import type { Report } from "./lesson.ts";
import type { OnCorrupt } from "../data/source.ts";
import type { Told } from "./told.ts";
import type { Recompute } from "../tensor/program.ts";

/** What happens while a run goes on, for whoever watches. */
export type Event =
  /** A lesson begins, after which `learned` tasks of the stream are learned. */
  | { readonly type: "task"; readonly task: string; readonly position: number; readonly learned: number }
  /** The first of `steps` steps begins; tracing and binding them takes a while. */
  | { readonly type: "training"; readonly task: string; readonly position: number; readonly steps: number }
  /** What the steps need on the device, in bytes, before the first of them runs: the weights that they read, and all else. */
  | { readonly type: "memory"; readonly task: string; readonly position: number; readonly weights: number; readonly rest: number }
  | {
      readonly type: "step";
      readonly task: string;
      readonly position: number;
      readonly step: number;
      readonly steps: number;
      readonly losses: Readonly<Record<string, number>>;
    }
  /** Something about the data that is worth knowing before the first step, in a sentence. */
  | { readonly type: "note"; readonly detail: string }
  /** The first of `datasets` evaluations begins. Nothing begins where a row is taken from the lesson before; the row is told of all the same. */
  | { readonly type: "evaluating"; readonly datasets: number }
  | Told
  | { readonly type: "lesson"; readonly position: number; readonly report: Report; readonly learner: Learner }
  | { readonly type: "skipped"; readonly id: string; readonly detail: string };

/**
 * A function that tells whoever watches which examples were left out. It names each of them once, however often it is called. Where the first that cannot be
 * decoded fails, none is left out.
 */
export const skippedReporter = ({ emit, onCorrupt }: Pick<Runtime, "emit" | "onCorrupt">): ((skipped: readonly Skipped[]) => void) => {
  const reported = new Set<string>();
  return (skipped) => {
    if (onCorrupt !== "skip") return;
    for (const { id, failure } of skipped) {
      if (reported.has(id)) continue;
      reported.add(id);
      emit({ type: "skipped", id, detail: "detail" in failure ? failure.detail : failure._tag });
    }
  };
};

/** The environment of a run: its device, its seed, and who watches it. Everything else is in the stages and in the learner. */
export interface Runtime {
  readonly device: Device;
  readonly seed: number;
  readonly emit: (event: Event) => void;
  /** Decoded images, shared by all that read them. */
  readonly images: ImageCache;
  /** Aborted when the run should stop (an `AbortSignal`, say): stages end with `Interrupted` at the next step. */
  readonly signal?: { readonly aborted: boolean };
  /** What to do with a sample that cannot be decoded. Default `fail`. */
  readonly onCorrupt?: OnCorrupt;
  /** How many of the likeliest classes of every scored image are told of. Default: nothing is. */
  readonly top?: number;
  /** What of the forward pass is computed again for the backward pass, so that it need not be kept. Default: what costs little. */
  readonly recompute?: Recompute;
  /**
   * In how many parts a training computes a batch, one after the other and with one update behind them: what is kept for the backward pass is then of one part
   * alone. The result is that of the whole batch, to rounding. Default 1.
   */
  readonly accumulate?: number;
  /** What is kept while the run goes on. Default: nothing. */
  readonly keep?: Keeper;
}
