/** Shows results where a program runs: in its terminal as text, in a notebook with everything that a page has. */
import { platform as defaultPlatform } from "../platform/default.ts";
import type { Output, Platform } from "../platform/platform.ts";
import { textTable } from "../report/table.ts";
import { bundleOf, display, isDisplayable, type Displayable } from "./display.ts";
import { reportOf, type Shown } from "./entries.ts";

/** What can be shown: runs, which are compared; what `report.displayTable` and its kin give; or a text. */
export type Showable = Shown | Displayable | string;

const isRun = (shown: Showable): shown is Shown => typeof shown !== "string" && !isDisplayable(shown);

/** Some runs: as the table of a terminal, or as the whole report of a notebook. */
const showRuns = (runs: readonly Shown[], { columns, text, bundle }: Output): Promise<void> =>
  bundle === undefined
    ? text(
        textTable(
          runs.map((run) => reportOf(run).result),
          columns,
        ),
      )()
    : bundle(bundleOf(display(runs)))();

const showOther = (shown: Displayable | string, { text, bundle }: Output): Promise<void> => {
  if (typeof shown === "string") return text(shown)();
  const forms = bundleOf(shown);
  return bundle === undefined ? text(forms["text/plain"])() : bundle(forms)();
};

/** Shows things on a platform, one below the other; all runs together, where the first of them stands. */
export const showOn =
  ({ output }: Pick<Platform, "output">) =>
  async (...shown: readonly Showable[]): Promise<void> => {
    const runs = shown.filter(isRun);
    for (const one of shown) {
      if (!isRun(one)) await showOther(one, output);
      else if (one === runs[0]) await showRuns(runs, output);
    }
  };

/**
 * Shows runs side by side: in a terminal as the text table, in a notebook as the table with curves, matrices and ranks that `report.display` gives. Texts, and
 * what `report.displayTable` and its kin give, are shown as they are. To be awaited, so that a notebook's cell does not end before.
 *
 * ```ts
 * const facts = { method: "mine", options: {}, seed: 0, adapter: "", trainableParameters: 1, bytesKept: 0, ranks: [], seconds: 1, zeroShot: [60] };
 * const result = report.runResult({ ...facts, matrix: { datasets: ["pets"], rows: [[90]] } });
 * const texts: string[] = [];
 * const output = { text: (text: string) => async () => void texts.push(text) };
 * await showOn({ output })("One run:", result, report.displayMatrices([result]));
 * assert.deepEqual(texts.map((text) => text.split(/ {2}|\n/)[0]), ["One run:", "Method", "mine"]);
 * ```
 */
export const show = (...shown: readonly Showable[]): Promise<void> => showOn(defaultPlatform)(...shown);
