/** A method as the cross-section of a trunk: a ring a lesson, as far round as its task is still known. */
import { fixed } from "../../../src/report/format.ts";
import { looks, nameOf } from "../plots.ts";
import { titles, type MethodName } from "../protocol.ts";
import type { State } from "../state.ts";
import { heldBy } from "../words.ts";

const [middle, innermost, outermost] = [100, 22, 94];

/** The arc of a ring from one percentage to another, clockwise from the top. */
const arc = (radius: number, from: number, to: number): string => {
  const point = (percent: number): string => {
    const angle = (percent / 50 - 0.5) * Math.PI;
    return `${(middle + radius * Math.cos(angle)).toFixed(2)} ${(middle + radius * Math.sin(angle)).toFixed(2)}`;
  };
  // An arc that ends where it begins would be none.
  const end = Math.min(to, from + 99.99);
  return `M${point(from)}A${radius} ${radius} 0 ${end - from > 50 ? 1 : 0} 1 ${point(end)}`;
};

export const Trunk = ({ state, name }: { readonly state: State; readonly name: MethodName }) => {
  const held = heldBy(state.methods[name]);
  const apart = Math.min(30, (outermost - innermost) / Math.max(1, held.length));
  const told = held.map(({ task, once, now }) => `${nameOf(state, task)} ${fixed(0)(now)} percent, ${fixed(0)(once)} after its lesson`).join("; ");
  return (
    <figure class={`trunk ${looks[name].className}`}>
      <figcaption>{titles[name]}</figcaption>
      <svg viewBox="0 0 200 200" role="img" aria-label={`${titles[name]}: ${told || "no lesson yet"}.`}>
        <circle class="heart" cx={middle} cy={middle} r={innermost - 8} />
        <g fill="none" stroke-width={(apart * 0.74).toFixed(2)}>
          {held.map(({ task, once, now }, i) => {
            const radius = innermost + apart * (i + 0.5);
            const before = state.previews[task]?.accuracy;
            return (
              <g key={task}>
                <path class="bed" d={arc(radius, 0, 100)} />
                {once > now && <path class="lost" d={arc(radius, now, once)} />}
                {now > 0 && <path class="kept" d={arc(radius, 0, now)} />}
                {typeof before === "number" && <path class="notch" d={arc(radius, before - 0.5, before + 0.5)} />}
              </g>
            );
          })}
        </g>
      </svg>
    </figure>
  );
};
