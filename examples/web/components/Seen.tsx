/** A task's test pictures with what the model says of them: before any lesson, and as each method says now. */
import { useState } from "preact/hooks";
import { titles, type MethodName, type Shown, type Task } from "../protocol.ts";
import { compared, type State } from "../state.ts";
import { accuracyText } from "../words.ts";
import type { Props } from "./ask.ts";
import { Learn } from "./Learn.tsx";
import { Picture } from "./Picture.tsx";

/** Who says something of the pictures. */
interface View {
  readonly key: "before" | MethodName;
  readonly name: string;
  readonly accuracy: number | null | undefined;
  readonly shown: readonly Shown[] | undefined;
}

/** The views of a task that there are: the model before any lesson, and the methods that have learned it. */
const viewsOf = (state: State, task: string): readonly View[] => {
  const preview = state.previews[task];
  const before: View = { key: "before", name: "Before any lesson", accuracy: preview?.accuracy, shown: preview?.shown };
  const now = compared(state).flatMap((name): readonly View[] => {
    const last = state.methods[name].lessons.at(-1);
    const guesses = last?.guesses[task];
    if (last === undefined || guesses === undefined || preview === undefined) return [];
    const shown = preview.shown.map((picture) => ({ ...picture, guesses: guesses[picture.id] ?? [] }));
    return [{ key: name, name: titles[name], accuracy: last.row[task], shown }];
  });
  return [before, ...now];
};

export const Seen = ({ state, ask, task }: Props & { readonly task: Task }) => {
  const [wanted, want] = useState<View["key"]>("before");
  const views = viewsOf(state, task.id);
  const view = views.find(({ key }) => key === wanted) ?? views[0];
  return (
    <section aria-labelledby="seen">
      <h2 id="seen">{task.name}</h2>
      {views.length > 1 && (
        <fieldset class="tabs">
          <legend>What is said of these pictures</legend>
          {views.map(({ key, name, accuracy }) => (
            <label key={key}>
              <input type="radio" name="view" checked={key === view.key} onChange={() => want(key)} />
              <span>
                {name} <b>{accuracyText(accuracy)}</b>
              </span>
            </label>
          ))}
        </fieldset>
      )}
      {view.shown === undefined ? (
        <p class="waiting">
          {state.failure === undefined ? "The model looks at the pictures …" : "The model has not looked at these pictures. Choose them again."}
        </p>
      ) : (
        <>
          <p class="said">
            {view.key === "before" ? "Before any lesson the model names " : `${view.name} now names `}
            <b>{accuracyText(view.accuracy)}</b> of all {task.test} test pictures right. Guessing would reach {accuracyText(100 / task.classNames.length)}.
          </p>
          <div class="pictures">
            {view.shown.map((shown) => (
              <Picture key={shown.id} shown={shown} />
            ))}
          </div>
        </>
      )}
      <Learn state={state} ask={ask} task={task} />
    </section>
  );
};
