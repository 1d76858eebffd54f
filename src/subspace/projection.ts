/** What can be done by `project`. */
import type * as RTE from "fp-ts/lib/ReaderTaskEither.js";
import type { Failure } from "../failure.ts";
import type { Runtime } from "../training/runtime.ts";
import type { Tracing } from "../training/tracing.ts";
import type { Suits } from "../training/suits.ts";
import type { Trainee } from "../training/trainee.ts";

/** A projection within a step; `N` names what it needs of the adapter. */
export interface StepProjection<T extends Trainee, N extends string> {
  readonly scale: "step";
  readonly name: string;
  readonly options: unknown;
  readonly apply: (trainee: T, tracing: Tracing) => T;
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}

/** A computation with subspaces once a task; `N` names the outputs that it needs of the architecture. */
export interface TaskProjection<A, B, N extends string = never> {
  readonly scale: "task";
  readonly name: string;
  readonly options: unknown;
  readonly run: (lesson: A) => RTE.ReaderTaskEither<Runtime, Failure, B>;
  /** Whether a model is one for it. Default: every model is. */
  readonly suits?: Suits;
  /** Never present; carries `N` in the type. */
  readonly needs?: N;
}
