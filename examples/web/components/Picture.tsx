/** A test picture and what it is taken for. */
import type { Shown } from "../protocol.ts";
import { isRight } from "../words.ts";
import { Scores } from "./Scores.tsx";

export const Picture = ({ shown }: { readonly shown: Shown }) => (
  <figure class={isRight(shown) ? "picture right" : "picture wrong"}>
    <img src={shown.image} alt={shown.label} loading="lazy" decoding="async" />
    <figcaption>
      <strong>
        {shown.label}
        <span class="mark">{isRight(shown) ? " right" : " wrong"}</span>
      </strong>
      <Scores guesses={shown.guesses.slice(0, 3)} truth={shown.label} />
    </figcaption>
  </figure>
);
