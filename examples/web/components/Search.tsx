/** The pictures of all tasks that are nearest to a text, as both methods see it. */
import { useState } from "preact/hooks";
import { titles } from "../protocol.ts";
import { compared } from "../state.ts";
import type { Props } from "./ask.ts";

export const Search = ({ state, ask }: Props) => {
  const [text, setText] = useState("");
  const { found } = state;
  return (
    <section aria-labelledby="search">
      <h2 id="search">Search the pictures</h2>
      <p>In words, among the pictures of all tasks. They need not be the names of classes.</p>
      <form
        class="search"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") ask({ type: "search", text: text.trim() });
        }}
      >
        <input
          type="search"
          aria-label="What to search for"
          placeholder="a yellow fruit"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" disabled={state.phase !== undefined}>
          Search
        </button>
      </form>
      {found !== undefined && (
        <div class="found" aria-live="polite">
          {compared(state).map((name) => (
            <div key={name}>
              <h3>{titles[name]}</h3>
              <ul class="thumbs">
                {(found.pictures[name] ?? []).slice(0, 8).map(({ image, label, task, score }, i) => (
                  <li key={`${task}/${label}/${i}`}>
                    <img src={image} alt={`${label}, of ${task}`} loading="lazy" decoding="async" />
                    <span>{label}</span> <span class="score">{score.toFixed(2)}</span>
                  </li>
                ))}
              </ul>
            </div>
          ))}
        </div>
      )}
    </section>
  );
};
