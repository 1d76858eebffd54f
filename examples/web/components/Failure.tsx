/** What could not be done, and what to do about it. */
import { useEffect, useRef } from "preact/hooks";
import type { Props } from "./ask.ts";

const headings: Readonly<Record<string, string>> = {
  open: "The model could not be opened",
  add: "These pictures could not be taken",
  preview: "The pictures could not be looked at",
  learn: "The lesson ended early",
  guess: "This picture could not be read",
  search: "The search failed",
  download: "The file could not be made",
  forget: "Not everything could be removed",
};

export const Failure = ({ state: { failure, note }, ask }: Props) => {
  const box = useRef<HTMLElement>(null);
  // What asked for it may be far down the page.
  useEffect(() => {
    if (failure !== undefined) box.current?.scrollIntoView({ block: "nearest" });
  }, [failure]);
  return (
    <div class="messages" role="alert">
      {failure !== undefined && (
        <section class="failure" ref={box} aria-label="What went wrong">
          <h2>{headings[failure.request] ?? "That did not work"}</h2>
          <p>{failure.sentence}</p>
          {failure.request === "open" && (
            <p>
              Load the page again to try once more. If what was kept is damaged:{" "}
              <button type="button" onClick={() => ask({ type: "forget" })}>
                Forget all that was kept and start over
              </button>
            </p>
          )}
        </section>
      )}
      {failure === undefined && note !== undefined && <p class="note-line">{note}</p>}
    </div>
  );
};
