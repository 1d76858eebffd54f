/** The button that begins a lesson, with what it can be told: which method stands beside, and how many steps. */
import { useState } from "preact/hooks";
import { bytes } from "../../../src/report/format.ts";
import { methodNames, titles, type Rival, type Task } from "../protocol.ts";
import { compared, learnedTasks } from "../state.ts";
import type { Props } from "./ask.ts";

const rivals = methodNames.filter((name): name is Rival => name !== "sequential-lora");

export const Learn = ({ state, ask, task }: Props & { readonly task: Task }) => {
  const [steps, setSteps] = useState(state.training.steps);
  const methods = compared(state);
  const done = methods.every((name) => state.methods[name].lessons.some((lesson) => lesson.task === task.id));
  const stopped = methods.some((name) => state.methods[name].stopped?.task === task.id);
  const waiting = state.phase !== undefined;
  const begun = learnedTasks(state).length > 0 || methods.some((name) => state.methods[name].curves.length > 0);
  const memory = task.memory;
  if (done) return <p class="said quiet">Both have learned this. Choose another task above, and see what they keep of this one.</p>;
  return (
    <form
      class="learn"
      onSubmit={(event) => {
        event.preventDefault();
        ask({ type: "learn", task: task.id, training: { steps } });
      }}
    >
      <button type="submit" class="primary" disabled={waiting}>
        {stopped ? `Go on with ${task.name}` : `Learn ${task.name}`}
      </button>
      <label>
        Sequential LoRA beside
        <select
          value={state.rival}
          disabled={waiting || begun}
          onChange={(event) => ask({ type: "choose", rival: event.currentTarget.value as Rival })}
          title={begun ? "Forget all to compare others: both have to learn the same lessons." : undefined}
        >
          {rivals.map((name) => (
            <option key={name} value={name}>
              {titles[name]}
            </option>
          ))}
        </select>
      </label>
      <label>
        Steps
        <input
          type="number"
          min={1}
          max={2000}
          value={steps}
          disabled={waiting}
          onInput={(event) => setSteps(Math.max(1, Math.round(event.currentTarget.valueAsNumber) || 1))}
        />
      </label>
      {memory !== undefined && (
        <p class="note">
          A step takes {bytes(memory.weights + memory.rest)} on the device, of {bytes(memory.available)} that a page should take.
        </p>
      )}
    </form>
  );
};
