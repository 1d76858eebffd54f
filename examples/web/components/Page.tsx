/** The whole page: it chooses which parts there are something to show of. */
import { useEffect, useState } from "preact/hooks";
import { begunTasks } from "../plots.ts";
import { compared, learnedTasks } from "../state.ts";
import type { Props } from "./ask.ts";
import { Failure } from "./Failure.tsx";
import { Guess } from "./Guess.tsx";
import { Header } from "./Header.tsx";
import { Kept } from "./Kept.tsx";
import { Lessons } from "./Lessons.tsx";
import { Progress } from "./Progress.tsx";
import { Search } from "./Search.tsx";
import { Seen } from "./Seen.tsx";
import { Take } from "./Take.tsx";
import { Tasks } from "./Tasks.tsx";

export const Page = ({ state, ask }: Props) => {
  const [chosen, setChosen] = useState<string>();
  const task = state.tasks.find(({ id }) => id === chosen);
  const own = state.tasks.filter((one) => one.own).at(-1)?.id;
  /** Shows a task, with what the model says of it before any lesson. */
  const choose = (id: string): void => {
    setChosen(id);
    const asked = id === chosen && state.failure === undefined;
    if (state.previews[id] === undefined && !asked) ask({ type: "preview", task: id });
  };
  // Pictures that were just given are what a person wants to see next.
  useEffect(() => {
    if (own !== undefined) choose(own);
  }, [own]);
  const learned = learnedTasks(state).length > 0;
  const both = compared(state).every((name) => state.methods[name].lessons.length > 0);
  return (
    <>
      <Header state={state} />
      <main>
        <Failure state={state} ask={ask} />
        {state.adapter !== undefined && <Tasks state={state} ask={ask} chosen={chosen} choose={choose} />}
        {task !== undefined && <Seen key={task.id} state={state} ask={ask} task={task} />}
        {begunTasks(state).length > 0 && <Lessons state={state} />}
        {both && <Kept state={state} />}
        {learned && <Guess state={state} ask={ask} />}
        {learned && <Search state={state} ask={ask} />}
        {learned && <Take state={state} ask={ask} />}
      </main>
      <Progress state={state} ask={ask} />
      <footer>
        <p>Cambium. Pictures, model and lessons stay in this browser; nothing is sent anywhere.</p>
      </footer>
    </>
  );
};
