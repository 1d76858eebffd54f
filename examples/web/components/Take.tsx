/** What can be taken along, and how to leave nothing behind. */
import { useState } from "preact/hooks";
import { titles } from "../protocol.ts";
import { compared } from "../state.ts";
import type { Props } from "./ask.ts";

export const Take = ({ state, ask }: Props) => {
  const [sure, setSure] = useState(false);
  const waiting = state.phase !== undefined;
  return (
    <section aria-labelledby="take">
      <h2 id="take">Take it with you</h2>
      <p>
        The whole model as a folder that Hugging Face's libraries read, or only what was learned as an adapter that PEFT reads. Lessons stay in this browser
        until you forget them.
      </p>
      <div class="takes">
        {compared(state).map((name) => (
          <fieldset key={name} disabled={waiting || state.methods[name].lessons.length === 0}>
            <legend>{titles[name]}</legend>
            <button type="button" onClick={() => ask({ type: "download", method: name, what: "model" })}>
              Model <span>zip</span>
            </button>
            <button type="button" onClick={() => ask({ type: "download", method: name, what: "adapter" })}>
              Adapter <span>zip</span>
            </button>
          </fieldset>
        ))}
        <fieldset disabled={waiting} class="forget">
          <legend>Start over</legend>
          {sure ? (
            <>
              <button
                type="button"
                class="danger"
                onClick={() => {
                  setSure(false);
                  ask({ type: "forget" });
                }}
              >
                Forget lessons and pictures
              </button>
              <button type="button" onClick={() => setSure(false)}>
                Keep them
              </button>
            </>
          ) : (
            <button type="button" onClick={() => setSure(true)}>
              Forget all …
            </button>
          )}
        </fieldset>
      </div>
    </section>
  );
};
