/** The single runs of a method with several seeds. */
import { columnsOf } from "../report/comparison.ts";
import { matrixCsv } from "../report/csv.ts";
import { escapeHtml } from "../report/format.ts";
import { matrixLatex, matrixMarkdown } from "../report/markup.ts";
import { inEverySpace } from "../report/spaces.ts";
import { summaryOf, type Summary } from "../report/summary.ts";
import { folded, plainTable, scrolling } from "./markup.ts";
import { matrixTable, type MatrixScale } from "./matrixTable.ts";
import { saveMenu, saveRows } from "./save.ts";
import { spacePhrase } from "./spaces.ts";

/** A run as an entry of one seed. */
const alone = (s: Summary): readonly Summary[] => s.runs.map((run) => summaryOf(`seed ${run.seed}`, [run]));

/** The table of single runs, a row a seed, with the menu that saves it. */
const seedTable = (s: Summary): string => {
  const runs = alone(s);
  const columns = columnsOf(runs);
  const head = ["Seed", ...columns.map(({ heading }) => heading)];
  const rows = runs.map((one) => ({ seed: one.runs[0].seed, values: columns.map((c) => c.value(one).mean), one }));
  const texts = rows.map(({ seed, values, one }) => [String(seed), ...values.map((value, k) => columns[k].format(value, one))]);
  const saved = saveRows(`${s.label} seeds`, [head, ...rows.map(({ seed, values }) => [seed, ...values])], [head, ...texts]);
  return `${scrolling(`Single runs of ${s.label}`, plainTable("summary", [head, ...texts]))}${saved}`;
};

const matrix = (s: Summary, scale: MatrixScale, name: string): string =>
  `${matrixTable(s, scale)}${saveMenu(`${name} ${spacePhrase(s.labelSpace)}`, { csv: matrixCsv(s), markdown: matrixMarkdown(s), latex: matrixLatex(s) })}`;

/** The matrices of one entry, one for each label space; saved under a name. */
export const matrices = (s: Summary, scale: MatrixScale, name: string): string => {
  const spaces = inEverySpace(s);
  const heading = (space: Summary): string => (spaces.length > 1 ? `<h4>${escapeHtml(spacePhrase(space.labelSpace))}</h4>` : "");
  return `<div class="side">${spaces.map((space) => `<div>${heading(space)}${matrix(space, scale, name)}</div>`).join("\n")}</div>`;
};

/** The single runs on demand, a row and a matrix each; an empty string where there is only one. */
export const singleRuns = (s: Summary, scale: MatrixScale): string => {
  if (s.runs.length < 2) return "";
  const single = alone(s).map((one) => folded(`Matrix of ${escapeHtml(one.label)}`, matrices(one, scale, `${s.label} ${one.label}`)));
  return folded(`The ${s.runs.length} single runs`, `${seedTable(s)}${single.join("\n")}`);
};
