/** A picture of a person's own, and what both methods take it for among all that they have learned. */
import { titles } from "../protocol.ts";
import { compared } from "../state.ts";
import type { Props } from "./ask.ts";
import { Drop } from "./Drop.tsx";
import { Scores } from "./Scores.tsx";

export const Guess = ({ state, ask }: Props) => {
  const { guessed } = state;
  return (
    <section aria-labelledby="guess">
      <h2 id="guess">Show it a picture</h2>
      <p>Both are asked for the most likely of all classes that they have learned.</p>
      <div class="guess">
        <Drop
          label="Drop a picture, or choose one"
          accept="image/*"
          disabled={state.phase !== undefined}
          take={([picture]) => ask({ type: "guess", picture: picture.file })}
        />
        {guessed !== undefined && (
          <div class="guessed" aria-live="polite">
            <img src={guessed.image} alt="What you have shown" decoding="async" />
            {compared(state).map((name) => (
              <div key={name}>
                <h3>{titles[name]}</h3>
                <Scores guesses={(guessed.guesses[name] ?? []).slice(0, 4)} />
              </div>
            ))}
          </div>
        )}
      </div>
    </section>
  );
};
