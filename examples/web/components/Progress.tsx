/** What happens now, how far it is, and how to stop it: at the foot of the window for as long as something happens. */
import { progressText } from "../words.ts";
import type { Props } from "./ask.ts";

export const Progress = ({ state: { phase }, ask }: Props) => (
  <section class={phase === undefined ? "progress" : "progress shown"} aria-label="What happens now">
    {/* Read out when something else begins, and not at every step. */}
    <p class="unseen" aria-live="polite">
      {phase?.what}
    </p>
    {phase !== undefined && (
      <div class="doing">
        <div class="what">
          <strong aria-hidden="true">{phase.what}</strong> <span>{progressText(phase)}</span>
        </div>
        <progress aria-label={phase.what} value={phase.total === undefined ? undefined : (phase.done ?? 0)} max={phase.total} />
        {phase.kind !== "opening" && (
          <button
            type="button"
            onClick={() => ask({ type: "stop" })}
            title={phase.kind === "learning" ? "What is done is kept; the lesson can go on later." : undefined}
          >
            Stop
          </button>
        )}
      </div>
    )}
  </section>
);
