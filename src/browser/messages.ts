/** What a page and the worker that runs its jobs tell each other: plain data, which can be posted. */
import type { Failure } from "../failure.ts";
import type { Downloading } from "../platform/hub.ts";
import type { Job } from "../runs/job.ts";
import type { Outcome } from "../runs/outcome.ts";
import type { Event } from "../training/runtime.ts";

/** What a job is asked with: a new one, or the folder of one that goes on. */
export type Asked = { readonly id: string; readonly job: Job } | { readonly id: string; readonly resume: string };

/** What a page posts: a job, or that it should stop. */
export type Request = Asked | { readonly id: string; readonly stop: true };

type Lesson = Extract<Event, { readonly type: "lesson" }>;

/** An event without its learner, which is in the folder of the run. */
export type PostedEvent = Exclude<Event, Lesson> | Omit<Lesson, "learner"> | Downloading;

/** The outcome of a job without its learner, which `readLearner(outcome.model)` reads. */
export type PostedOutcome = Omit<Outcome, "learner">;

/** What a worker posts: what happens, and at the end an outcome or a failure. */
export type Reply = { readonly id: string } & (
  | { readonly event: PostedEvent }
  | { readonly opened: string }
  | { readonly note: string }
  | { readonly outcome: PostedOutcome }
  | { readonly failure: Failure }
);

/** One side of a channel: a worker, what a worker calls itself, a `MessagePort`. */
export interface Port {
  postMessage(message: unknown): void;
  /** The event of a `message` has `data`; that of an `error` has `message`. */
  addEventListener(type: "message" | "error", listener: (event: { readonly data?: unknown; readonly message?: unknown }) => void): void;
  removeEventListener(type: "message" | "error", listener: (event: { readonly data?: unknown; readonly message?: unknown }) => void): void;
}

/** An event as it is posted. */
export const postedEvent = (event: Event | Downloading): PostedEvent => {
  if (event.type !== "lesson") return event;
  const { learner: _, ...rest } = event;
  return rest;
};

/** An outcome as it is posted. The options of its result are made plain: stages may have functions among theirs. */
export const postedOutcome = ({ learner: _, result, ...rest }: Outcome): PostedOutcome => ({
  ...rest,
  result: { ...result, options: JSON.parse(JSON.stringify(result.options)) },
});
