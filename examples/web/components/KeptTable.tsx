/** The accuracies behind the rings: before, after its own lesson, and now. */
import { fixed, signed } from "../../../src/report/format.ts";
import { nameOf } from "../plots.ts";
import { titles } from "../protocol.ts";
import { compared, learnedTasks, type State } from "../state.ts";
import { heldBy } from "../words.ts";

const whole = fixed(0);

export const KeptTable = ({ state }: { readonly state: State }) => {
  const methods = compared(state).map((name) => ({ name, held: heldBy(state.methods[name]) }));
  return (
    <table class="summary kept">
      <caption>Accuracy in percent: right after the lesson, and now</caption>
      <thead>
        <tr>
          <th scope="col">Task</th>
          <th scope="col">Before</th>
          {methods.map(({ name }) => (
            <th key={name} scope="col">
              {titles[name]}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {learnedTasks(state).map((task) => (
          <tr key={task}>
            <th scope="row">{nameOf(state, task)}</th>
            <td>{whole(state.previews[task]?.accuracy ?? null)}</td>
            {methods.map(({ name, held }) => {
              const one = held.find((some) => some.task === task);
              return (
                <td key={name}>
                  {one === undefined ? "\u2013" : one.once === one.now ? whole(one.now) : `${whole(one.once)} \u2192 ${whole(one.now)}`}
                  {one !== undefined && one.once !== one.now && <small class={one.now < one.once ? "fell" : ""}>{signed(one.now - one.once)}</small>}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
};
