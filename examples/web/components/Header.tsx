/** The title, what the page is for, and what it runs on. */
import type { State } from "../state.ts";
import { Rings } from "./Rings.tsx";

export const Header = ({ state }: { readonly state: State }) => (
  <header>
    <Rings state={state} />
    <div class="title">
      <h1>Teach it</h1>
      <p class="lead">
        A small vision-language model lives in this tab. Teach it one thing after another, in two ways side by side, and watch which of them remembers.
      </p>
      {state.adapter === undefined ? (
        <p class="runs">{state.failure === undefined ? "Looking for a GPU, and reading the model …" : "No model is open."}</p>
      ) : (
        <p class="runs">
          <span class={state.slow === undefined ? "lamp" : "lamp slow"} aria-hidden="true" />
          <span>
            <strong>{state.model}</strong> on {state.adapter}. {state.slow}
          </span>
        </p>
      )}
    </div>
  </header>
);
