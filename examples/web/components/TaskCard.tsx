/** A task to choose: some of its pictures, how large it is, and whether it was learned. */
import { counted } from "../../../src/report/format.ts";
import type { Task } from "../protocol.ts";
import { learnedTasks, type State } from "../state.ts";
import { cardText } from "../words.ts";

export interface TaskCardProps {
  readonly state: State;
  readonly task: Task;
  readonly chosen: boolean;
  readonly choose: (task: string) => void;
}

export const TaskCard = ({ state, task, chosen, choose }: TaskCardProps) => (
  <button type="button" class="card" aria-pressed={chosen} onClick={() => choose(task.id)}>
    <span class="mosaic" aria-hidden="true">
      {task.samples.slice(0, 6).map((image, i) => (
        <img key={i} src={image} alt="" loading="lazy" decoding="async" />
      ))}
    </span>
    <span class="name">{task.name}</span>
    <span class="size">
      {counted(task.classNames.length, "class", "classes")}, {task.train} to learn from, {task.test} to test
    </span>
    <span class={learnedTasks(state).includes(task.id) ? "state learned" : "state"}>{cardText(state, task.id)}</span>
  </button>
);
