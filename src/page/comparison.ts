/** The comparison of some runs: one wide table, or on a narrow page one narrow table for each few of its columns. */
import type { Cell, Column, Comparison, Row } from "../report/comparison.ts";
import { csvTable } from "../report/csv.ts";
import { escapeHtml, missing } from "../report/format.ts";
import { latexTable, markdownTable } from "../report/markup.ts";
import { isStill, type Entry } from "./entries.ts";
import { sample } from "./chart.ts";
import { folded, scrolling } from "./markup.ts";
import { saveMenu } from "./save.ts";
import { spaceHeading, spaceMeaning, spaceName } from "./spaces.ts";

/** A row, and those of the same method in other label spaces. */
type Group = readonly Row[];

const groupsOf = (rows: readonly Row[]): readonly Group[] =>
  rows.reduce<readonly Group[]>((groups, row) => (row.elsewhere ? [...groups.slice(0, -1), [...(groups.at(-1) ?? []), row]] : [...groups, [row]]), []);

/** A method's name with its line, and a link to its section; what stands for no run, such as guessing, has a name alone. */
const nameOf = ({ summary }: Row, entries: readonly Entry[]): string => {
  const entry = entries.find((e) => e.summary === summary);
  const label = escapeHtml(summary.label);
  if (entry === undefined) return label;
  return `${sample(entry.look)}${isStill(summary) ? label : `<a href="#${entry.id}">${label}</a>`}`;
};

/** A mean with its deviation; room is left for one where others of its column have one, so that means stand below each other. */
const cellHtml = ({ mean, deviation, best }: Cell, spread: boolean): string => {
  const tail = spread && mean !== "" ? `<small>${deviation === "" ? "" : `\u00b1\u2009${deviation}`}</small>` : "";
  return `<td${best ? ` class="best"` : ""}>${mean}${tail}</td>`;
};

const head = (columns: readonly Column[]): string =>
  columns.map((c) => `<th scope="col" title="${escapeHtml(c.meaning)}">${escapeHtml(c.heading)}</th>`).join("");

const roleOf = ([row]: Group): string => (row.role === "reference" ? ` class="quiet"` : "");

/** What a table shows of a comparison: its groups of rows, the positions of its columns, and whether it says what was scored among what. */
interface View {
  readonly comparison: Comparison;
  readonly groups: readonly Group[];
  readonly entries: readonly Entry[];
  readonly shown: readonly number[];
  readonly spaces: boolean;
}

const spaceHead = ({ rows: [{ summary }] }: Comparison): string => `<th scope="col" class="among">${spaceHeading(summary.labelSpace)}</th>`;

const amongCell = (row: Row, spaces: boolean): string => (spaces ? `<td class="among">${escapeHtml(spaceName(row.summary.labelSpace))}</td>` : "");

const cells = (row: Row, { comparison, shown }: View): string =>
  shown
    .map((k) =>
      cellHtml(
        row.cells[k],
        comparison.rows.some(({ cells: { [k]: cell } }) => cell.deviation !== ""),
      ),
    )
    .join("");

/** A row a method and label space. */
const wide = (view: View): string => {
  const { comparison, groups, entries, spaces } = view;
  const bodies = groups.map((group) => {
    const rows = group.map((row, i) => {
      const name = i === 0 ? `<th scope="rowgroup" rowspan="${group.length}">${nameOf(row, entries)}</th>` : "";
      return `<tr>${name}${amongCell(row, spaces)}${cells(row, view)}</tr>`;
    });
    return `<tbody${roleOf(group)}>${rows.join("\n")}</tbody>`;
  });
  return `<table class="summary wide">
<thead><tr><th scope="col">Method</th>${spaces ? spaceHead(comparison) : ""}${head(comparison.columns)}</tr></thead>
${bodies.join("\n")}</table>`;
};

/** The name of a method stands above its rows, so that a long one takes no room from the numbers. */
const narrow = (view: View): string => {
  const { comparison, groups, entries, shown, spaces } = view;
  const bodies = groups.map((group) => {
    const filled = group.filter((row) => shown.some((k) => !["", missing].includes(row.cells[k].mean)));
    if (filled.length === 0) return "";
    const rows = filled.map((row) => `<tr>${amongCell(row, spaces)}${cells(row, view)}</tr>`);
    const name = `<tr><th scope="rowgroup" colspan="${shown.length + (spaces ? 1 : 0)}">${nameOf(group[0], entries)}</th></tr>`;
    return `<tbody${roleOf(group)}>${name}${rows.join("\n")}</tbody>`;
  });
  return `<table class="summary narrow">
<thead><tr>${spaces ? spaceHead(comparison) : ""}${head(shown.map((k) => comparison.columns[k]))}</tr></thead>
${bodies.join("\n")}</table>`;
};

/** Columns of a narrow table. */
const fitting = 4;

/** The columns for each narrow table: those that are competed for, so many at a time, then what training costs. */
const parts = (columns: readonly Column[]): readonly (readonly number[])[] => {
  const all = columns.map((_, k) => k);
  const [scores, costs] = [all.filter((k) => columns[k].kind !== "cost"), all.filter((k) => columns[k].kind === "cost")];
  const tables = Math.ceil(scores.length / fitting);
  const split = Array.from({ length: tables }, (_, n) => scores.slice(Math.ceil((n * scores.length) / tables), Math.ceil(((n + 1) * scores.length) / tables)));
  return [...split, costs].filter((part) => part.length > 0);
};

/** What the columns mean, for those who have no pointer to ask a heading with. */
const glossary = ({ columns, rows, notes }: Comparison, spaces: boolean): string => {
  const shown = [...new Set(rows.map(({ summary }) => summary.labelSpace))];
  const space = spaces ? [{ heading: spaceHeading(shown[0]), meaning: spaceMeaning(shown) }] : [];
  const meanings = [...space, ...columns].map((c) => `<dt>${escapeHtml(c.heading)}</dt><dd>${escapeHtml(c.meaning)}</dd>`).join("\n");
  return `${[notes.seeds, notes.bold].map((note) => (note === "" ? "" : `<p class="note">${escapeHtml(note)}</p>`)).join("")}
${folded("What the columns mean", `<dl class="glossary">${meanings}</dl>`)}`;
};

/** The comparison of one stream as HTML tables, with the way to read them. */
export const comparisonTable = (comparison: Comparison, entries: readonly Entry[]): string => {
  const groups = groupsOf(comparison.rows);
  const results = entries.flatMap(({ summary }) => summary.runs);
  const view = { comparison, groups, entries, spaces: comparison.rows.some(({ elsewhere }) => elsewhere) };
  const all = comparison.columns.map((_, k) => k);
  return `${scrolling("Comparison of the methods", wide({ ...view, shown: all }))}
<div class="parts">${parts(comparison.columns)
    .map((shown) => `<div>${narrow({ ...view, shown, spaces: view.spaces && shown.some((k) => comparison.columns[k].kind === "task") })}</div>`)
    .join("\n")}</div>
${saveMenu("Comparison", { csv: csvTable(results), markdown: markdownTable(results), latex: latexTable(results) })}
${glossary(comparison, view.spaces)}`;
};
