/** A menu that saves a table as a file. The page has no script: its links hold the files themselves. */
import { csv } from "../report/csv.ts";
import { count, escapeHtml, fixed } from "../report/format.ts";
import { latexRows, markdownRows } from "../report/markup.ts";
import { dataUri } from "./markup.ts";

/** One table in the formats that it can be saved in. */
export interface Saved {
  readonly csv: string;
  readonly markdown: string;
  readonly latex: string;
}

const formats = [
  { key: "csv", name: "CSV", mime: "text/csv;charset=utf-8", suffix: "csv" },
  { key: "markdown", name: "Markdown", mime: "text/markdown;charset=utf-8", suffix: "md" },
  { key: "latex", name: "LaTeX", mime: "application/x-tex;charset=utf-8", suffix: "tex" },
] as const;

/** What a file may be called on any system. */
const fileName = (name: string): string =>
  name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .replace(/\+/g, "-plus")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase()
    .slice(0, 80) || "table";

/** The menu below a table. */
export const saveMenu = (name: string, saved: Saved): string => {
  const links = formats.map(({ key, name: format, mime, suffix }) => {
    const file = `${fileName(name)}.${suffix}`;
    const href = dataUri(mime, new TextEncoder().encode(saved[key]));
    return `<a download="${file}" href="${href}" aria-label="${escapeHtml(`${name} as ${format}`)}">${format}</a>`;
  });
  return `<details class="save"><summary>Save as</summary> ${links.join(" ")}</details>`;
};

/** What stands in a table: CSV has every digit of it. */
export type Value = string | number | null;

/** A value as people read it: counts as they are, other numbers with one decimal. */
export const valueText = (value: Value): string =>
  typeof value === "string" ? value : value !== null && Number.isInteger(value) ? count(value) : fixed(1)(value);

/** The menu below a table of values, its heading first; `texts` says how they are written where that is not {@link valueText}. */
export const saveRows = (
  name: string,
  rows: readonly (readonly Value[])[],
  texts: readonly (readonly string[])[] = rows.map((row) => row.map(valueText)),
): string => saveMenu(name, { csv: csv(rows), markdown: markdownRows(texts), latex: latexRows(texts) });
