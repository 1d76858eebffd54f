/** What is left of every lesson, for both methods: rings to see it, and a table to read it. */
import { compared, type State } from "../state.ts";
import { verdict } from "../words.ts";
import { KeptTable } from "./KeptTable.tsx";
import { Trunk } from "./Trunk.tsx";

export const Kept = ({ state }: { readonly state: State }) => (
  <section aria-labelledby="kept">
    <h2 id="kept">What they keep</h2>
    <p class="verdict" aria-live="polite">
      {verdict(state)}
    </p>
    <div class="trunks">
      {compared(state).map((name) => (
        <Trunk key={name} state={state} name={name} />
      ))}
      <div class="reading">
        <p>
          A ring is a lesson, the oldest inside; a full ring is 100 %. What is pale was right after its own lesson and is lost now. The notch is what the model
          knew before any lesson.
        </p>
        <KeptTable state={state} />
      </div>
    </div>
  </section>
);
