/** `cambium compare`: runs side by side. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { legible, type Failure } from "../failure.ts";
import { writeText } from "../formats/files.ts";
import { comparedData, comparedTable, compareRuns, tableFormats, type Compared, type TableFormat } from "../runs/compare.ts";
import { comparedPage } from "../runs/comparedPage.ts";
import { command } from "./command.ts";
import { flag, oneOf, optional, some } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** Writes a text to a file, where one is named. */
const write = (path: string | undefined, text: TE.TaskEither<Failure, string>, { at }: Terminal): TE.TaskEither<Failure, void> =>
  path === undefined
    ? TE.right(undefined)
    : pipe(
        text,
        TE.chain((content) => writeText(at(path), content)),
      );

/** The table with the end of its last line, which CSV writes in its own way. */
const table = (compared: Compared, format: TableFormat, columns?: number): string =>
  comparedTable(compared, format, columns) + (format === "csv" ? "\r\n" : "\n");

/** Compares runs. */
export const compare = command({
  name: "compare",
  does: "put runs side by side in a table or on a page, and seeds of one method in one row",
  synopsis: ["cambium compare RUN… [flags]"],
  operands: { hint: "RUN…", what: "at least one folder of a run", most: Infinity },
  flags: {
    format: flag(oneOf(...tableFormats), "FORMAT", `how the table is written: ${tableFormats.join(", ")}`, "text"),
    out: optional(some, "FILE", "where the table goes", "stdout"),
    html: optional(
      some,
      "FILE",
      "where a page of them goes: curves, matrices, losses, and the pictures or questions that were lost where the data is still there",
      "none",
    ),
  },
  notes: [
    "RUN is the folder of a run, or one that holds runs, as that of a sweep does, or sweeps. Files beside folders are passed over, so RUN… may be runs/*. " +
      "Runs of one method with the same options are one row.",
    "Runs that have learned different streams stand in tables of their own, since their numbers do not compare.",
    "A run that goes on yet, or was stopped, is there with the tasks that it has finished.",
  ],
  examples: [
    ["cambium compare runs/codyra runs/keeplora", "prints one table of both"],
    ["cambium compare runs/sweep --format latex --out table.tex --html page.html", "writes the table of all runs of a sweep for a paper, and a page of them"],
  ],
  notJson: ["format"],
  run: ({ flags: { format, out, html }, operands }, terminal) =>
    pipe(
      compareRuns(operands.map(terminal.at)),
      TE.chainFirst((compared) => write(out, TE.right(table(compared, format)), terminal)),
      TE.chainFirst((compared) => write(html, comparedPage(compared), terminal)),
      TE.map((compared) => {
        // The other formats have them below the table.
        if (format === "csv") compared.notes.forEach(terminal.note);
        if (html !== undefined) terminal.note(`page written to ${html}`);
        return {
          text: (columns?: number) => (out === undefined ? table(compared, format, columns) : `table written to ${legible(out)}`),
          json: comparedData(compared),
        };
      }),
    ),
});
