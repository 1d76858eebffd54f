/** Results as a notebook shows them: any object with `Symbol.for("Jupyter.display")` is displayed by Deno's kernel. */
import { reportBody } from "./html.ts";
import type { RunResult } from "./result.ts";
import { styleSheet } from "./style.ts";
import { textTable } from "./table.ts";

/** MIME type to content. */
export type MimeBundle = Readonly<Record<string, string>>;

const jupyterDisplay: unique symbol = Symbol.for("Jupyter.display");

/** What a notebook's kernel asks for its MIME bundle. */
export interface Displayable {
  readonly [jupyterDisplay]: () => MimeBundle;
}

/** The comparison, matrices, curves and ranks of some results, to stand as the last value of a notebook cell. */
export const display = (results: readonly RunResult[]): Displayable => ({
  [jupyterDisplay]: () => ({
    "text/html": `<div class="cambium"><style>${styleSheet}</style>${reportBody(results)}</div>`,
    "text/plain": textTable(results),
  }),
});
