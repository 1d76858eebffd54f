/** What of a run is kept while it goes on, so that one that was stopped can go on from there. */
import type * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import type { GroupValues } from "../model/adapters/adapter.ts";
import type { Update } from "../model/adapters/update.ts";
import type { Learner } from "../model/learner.ts";
import type { Report } from "./lesson.ts";

/** The state of a training between two steps. */
export interface Training<G extends string> {
  readonly step: number;
  readonly values: GroupValues<G>;
  /** Optimiser state by name, empty before the first step. */
  readonly moments: Readonly<Record<string, Float32Array>>;
}

/** Keeps the state of a training every so many steps, where it is stopped on request, and at its end. */
export interface Checkpoint<G extends string> {
  /** Default: only where it is stopped, and at its end. */
  readonly every?: number;
  readonly save: (training: Training<G>) => TE.TaskEither<Failure, void>;
}

/** Keeps what a run has reached. A failure of its ends the run. */
export interface Keeper {
  /** Awaited at the end of every lesson; `update` is what it has added to the weights, where it has merged adapters. */
  readonly lesson: (learner: Learner, report: Report, update?: Update) => TE.TaskEither<Failure, void>;
  /** Asked at the beginning of every training: where it goes on, if not with its first step, and how its state is kept. */
  readonly training?: () => { readonly from?: Training<any>; readonly checkpoint?: Checkpoint<any> };
}
