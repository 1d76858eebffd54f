/** The growth rings behind the title: one for every lesson, and one that closes while a lesson goes on. */
import { learnedTasks, type State } from "../state.ts";

const [middle, first, apart] = [210, 34, 21];
const hairlines = 9;

/** An arc from the top of a circle, clockwise. */
const arc = (radius: number, share: number) => ({ pathLength: 1, "stroke-dasharray": `${share} 1`, r: radius, cx: middle, cy: middle });

export const Rings = ({ state }: { readonly state: State }) => {
  const lessons = learnedTasks(state).length;
  const { phase } = state;
  const growing = phase?.kind === "learning" && phase.total ? (phase.done ?? 0) / phase.total : 0;
  return (
    <svg class="rings" viewBox={`0 0 ${2 * middle} ${2 * middle}`} aria-hidden="true">
      <g transform={`rotate(-90 ${middle} ${middle})`}>
        {Array.from({ length: hairlines }, (_, i) => (
          <circle key={i} class={i < lessons ? "grown" : ""} {...arc(first + i * apart, 1)} />
        ))}
        {growing > 0 && <circle class="growing" {...arc(first + Math.min(lessons, hairlines - 1) * apart, growing)} />}
      </g>
    </svg>
  );
};
