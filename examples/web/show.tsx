/** Puts the page into the document and draws it anew when the worker has told something: at most once a frame, however much it tells. */
import { render } from "preact";
import { styleSheet } from "../../src/page/style.ts";
import { Page } from "./components/Page.tsx";
import type { Learner } from "./protocol.ts";
import { initial, reduce } from "./state.ts";

/** Hands a file to the person who asked for it. */
const save = (name: string, file: Blob): void => {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
  link.click();
  // The browser reads the file after the click; an address that lives for a minute is soon enough gone.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
};

/** Shows what a learner tells in an element, and asks it to open. */
export const show = (learner: Learner, root: HTMLElement): void => {
  const style = document.createElement("style");
  style.textContent = styleSheet;
  // The page's own rules come after those of the report.
  document.head.prepend(style);
  let [state, waiting] = [initial, false];
  const draw = (): void => {
    waiting = false;
    render(<Page state={state} ask={learner.ask} />, root);
  };
  learner.listen((event) => {
    if (event.type === "file") save(event.name, event.file);
    state = reduce(state, event);
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  });
  draw();
  learner.ask({ type: "open" });
};
