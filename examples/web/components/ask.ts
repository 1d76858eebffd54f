/** What most components take: all that is shown, and how to ask for more. */
import type { Learner } from "../protocol.ts";
import type { State } from "../state.ts";

/** What a component draws from, and how it asks the worker for something. */
export interface Props {
  readonly state: State;
  readonly ask: Learner["ask"];
}
