/** About how long what is under way still takes, from how long it took before. */
import type { MethodName } from "./protocol.ts";

/** What was measured, in seconds; the last measurement of each counts. */
export interface Pace {
  /** A step. */
  readonly step: number;
  /** All before the first step of a method, and between its last step and the scores. */
  readonly around: Readonly<Record<MethodName, number>>;
  /** Looking at a test picture. */
  readonly picture: number;
}

/** What is assumed until something was measured: of a GPU, or of a processor that acts as one. */
export const assumed = (kind: "gpu" | "cpu"): Pace => {
  const by = kind === "gpu" ? 0.02 : 0.35;
  return { step: by, around: { "sequential-lora": 10 * by, codyra: 10 * by, "keeplora++": 20 * by }, picture: by / 20 };
};

/** What of a lesson is still to be done. */
export interface Ahead {
  readonly method: MethodName;
  /** Whether its first step was not made yet. */
  readonly around: boolean;
  readonly steps: number;
  readonly pictures: number;
}

/** Seconds of what is ahead. */
export const secondsOf = (pace: Pace, ahead: readonly Ahead[]): number =>
  ahead.reduce((sum, { method, around, steps, pictures }) => sum + (around ? pace.around[method] : 0) + steps * pace.step + pictures * pace.picture, 0);
