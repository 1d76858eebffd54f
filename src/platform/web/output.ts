/** What a browser's tab has for a terminal: its console, line by line. A page shows what it wants to show by itself. */
import type { Output, Sink } from "../platform.ts";

/** Where results are shown. */
export const output: Output = {
  text: (text) => async () => {
    // biome-ignore lint/suspicious/noConsole: a tab has no other place for text.
    console.log(text);
  },
};

/** Where progress is written, among the details that a console shows on request. */
export const progress: Sink = {
  write: (text) => {
    // biome-ignore lint/suspicious/noConsole: a tab has no other place for text.
    console.debug(text.trimEnd());
  },
};
