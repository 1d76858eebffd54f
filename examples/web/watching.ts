/** What a run tells, as what the page is told. */
import type { Event as RunEvent } from "../../mod.ts";
import type { Guess, Row } from "./protocol.ts";

/** The accuracies of a row by task, and what pictures were taken for, by task and by id. */
export interface Scores {
  readonly row: Row;
  readonly guesses: Readonly<Record<string, Readonly<Record<string, readonly Guess[]>>>>;
}

/** Collects the scores that events tell of; those of the last evaluation count. */
export const scoring = (): { readonly event: (event: RunEvent) => void; readonly scores: () => Scores } => {
  let scores: Scores = { row: {}, guesses: {} };
  return {
    event: (event) => {
      if (event.type === "evaluating") scores = { row: {}, guesses: {} };
      if (event.type === "evaluation") scores = { ...scores, row: { ...scores.row, [event.dataset]: event.accuracy } };
      if (event.type !== "predictions") return;
      const { dataset, predictions } = event;
      const guesses = Object.fromEntries(predictions.map(({ sample, top }) => [sample, top]));
      scores = { ...scores, guesses: { ...scores.guesses, [dataset]: guesses } };
    },
    scores: () => scores,
  };
};
