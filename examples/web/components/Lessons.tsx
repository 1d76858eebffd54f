/** How the loss falls in the lesson, and how the accuracy on every task moves from lesson to lesson. */
import { useEffect, useRef } from "preact/hooks";
import { accuracyChart, begunTasks, chartsHtml, keyHtml, lossChart } from "../plots.ts";
import type { State } from "../state.ts";
import { Drawn } from "./Drawn.tsx";

export const Lessons = ({ state }: { readonly state: State }) => {
  const order = begunTasks(state);
  const losses = order.flatMap((task) => lossChart(state, task) ?? []);
  const heading = useRef<HTMLHeadingElement>(null);
  // Whoever has begun a lesson wants to see it; the button that began it cannot be pressed now, and would keep the focus.
  useEffect(() => {
    if (state.phase === undefined || state.phase.task !== order.at(-1)) return;
    heading.current?.focus({ preventScroll: true });
    heading.current?.scrollIntoView();
  }, [order.length]);
  return (
    <section aria-labelledby="lessons">
      <h2 id="lessons" ref={heading} tabIndex={-1}>
        {order.length === 1 ? "The lesson" : "The lessons"}
      </h2>
      <p>Test accuracy in percent after each lesson, from 0, before the first; the dotted upright is the lesson that teaches it.</p>
      <Drawn html={keyHtml(state)} />
      <Drawn html={chartsHtml([...losses.slice(-1), ...order.map((task) => accuracyChart(state, task))])} />
      {losses.length > 1 && (
        <details>
          <summary>Losses of earlier lessons</summary>
          <Drawn html={chartsHtml(losses.slice(0, -1))} />
        </details>
      )}
    </section>
  );
};
