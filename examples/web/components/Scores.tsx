/** Guesses with their scores, the likeliest first. */
import type { Guess } from "../protocol.ts";
import { percent } from "../words.ts";

export const Scores = ({ guesses, truth }: { readonly guesses: readonly Guess[]; readonly truth?: string }) => (
  <ol class="scores">
    {guesses.map(({ label, score }) => (
      <li key={label} class={label === truth ? "true" : ""}>
        <i style={{ width: `${(100 * score).toFixed(1)}%` }} aria-hidden="true" />
        <span>{label}</span>
        <span class="score">{percent(score)}</span>
      </li>
    ))}
  </ol>
);
