/** What can be taught: the tasks that come along, and a person's own pictures. */
import type { Props } from "./ask.ts";
import { Own } from "./Own.tsx";
import { TaskCard } from "./TaskCard.tsx";

export interface TasksProps extends Props {
  readonly chosen: string | undefined;
  readonly choose: (task: string) => void;
}

export const Tasks = ({ state, ask, chosen, choose }: TasksProps) => (
  <section aria-labelledby="tasks">
    <h2 id="tasks">What shall it learn?</h2>
    <p>Take one of these, or pictures of your own. First you see what the model says before any lesson.</p>
    <ul class="cards">
      {state.tasks.map((task) => (
        <li key={task.id}>
          <TaskCard state={state} task={task} chosen={task.id === chosen} choose={choose} />
        </li>
      ))}
      <li class="own">
        <Own ask={ask} waiting={state.phase !== undefined} />
      </li>
    </ul>
  </section>
);
