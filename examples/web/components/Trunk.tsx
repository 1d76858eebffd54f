/** A method as the cross-section of a trunk: a ring a lesson, as far round as its task is still known. */
import { fixed } from "../../../src/report/format.ts";
import { looks, nameOf } from "../plots.ts";
import { titles, type MethodName } from "../protocol.ts";
import type { State } from "../state.ts";
import { heldBy } from "../words.ts";

const [middle, innermost, outermost] = [100, 22, 94];

export const Trunk = ({ state, name }: { readonly state: State; readonly name: MethodName }) => {
  const held = heldBy(state.methods[name]);
  const apart = Math.min(26, (outermost - innermost) / Math.max(1, held.length));
  const told = held.map(({ task, then, now }) => `${nameOf(state, task)} ${fixed(0)(now)} percent, ${fixed(0)(then)} after its lesson`).join("; ");
  return (
    <figure class={`trunk ${looks[name].className}`}>
      <svg viewBox="0 0 200 200" role="img" aria-label={`${titles[name]}: ${told || "no lesson yet"}.`}>
        <g transform={`rotate(-90 ${middle} ${middle})`} fill="none" stroke-width={apart * 0.72}>
          <circle class="heart" cx={middle} cy={middle} r={innermost - apart / 2 - 2} />
          {held.map(({ task, then, now }, i) => {
            const circle = { cx: middle, cy: middle, r: innermost + apart * (i + 0.5), pathLength: 100 };
            const before = state.previews[task]?.accuracy;
            return (
              <g key={task}>
                <circle class="bed" {...circle} />
                <circle class="lost" {...circle} stroke-dasharray={`${Math.max(then, now)} 100`} />
                <circle class="kept" {...circle} stroke-dasharray={`${now} 100`} />
                {typeof before === "number" && <circle class="notch" {...circle} stroke-dasharray="0.6 100" stroke-dashoffset={-before} />}
              </g>
            );
          })}
        </g>
      </svg>
      <figcaption>{titles[name]}</figcaption>
    </figure>
  );
};
