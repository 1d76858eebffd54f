/** How help is laid out: flags in two columns, and what is too long for a line goes on below itself. */
import { wrapped } from "../report/table.ts";
import type { Flag, Table } from "./flags.ts";

/** Where help is printed. */
export interface Layout {
  /** Characters of a line; at most 120 are used. */
  readonly columns?: number;
  readonly colours: { readonly bold: (text: string) => string };
}

/** Help as text without colours. */
export const plain: Layout = { colours: { bold: (text) => text } };

const widest = 120;
/** A flag that is longer has its help on the lines below. */
const longestLeft = 28;

/** Whether somebody asks for help. */
export const asksForHelp = (args: readonly string[]): boolean => args.includes("--help") || args.includes("-h");

/** Rows of two columns. */
export const twoColumns = (rows: readonly (readonly [string, string])[], columns: number = widest): readonly string[] => {
  const left = Math.max(...rows.map(([name]) => name.length).filter((length) => length <= longestLeft), 0) + 4;
  return rows.flatMap(([name, text]) => {
    const [first, ...others] = wrapped(text, Math.max(20, Math.min(columns, widest) - left));
    const below = others.map((line) => " ".repeat(left) + line);
    return `  ${name}`.length + 2 > left ? [`  ${name}`, " ".repeat(left) + first, ...below] : [`  ${name}`.padEnd(left) + first, ...below];
  });
};

/** What a flag does, and what it is where it is not given. */
const described = ({ help, otherwise }: Flag<unknown>): string => (otherwise === undefined || otherwise.said === "" ? help : `${help} [${otherwise.said}]`);

/** A line for every flag. */
export const flagLines = (table: Table, columns?: number): readonly string[] =>
  twoColumns(
    Object.entries(table).map(([name, of]) => [`--${name} ${of.hint}`.trimEnd(), described(of)]),
    columns,
  );

/** The usage of a script: its first line, and a line a flag. */
export const usage = (head: string, table: Table, columns?: number): string => [head, "", ...flagLines(table, columns)].join("\n");

/** Paragraphs in lines, each under its heading where it has one. */
export const sections = (parts: readonly { readonly heading?: string; readonly lines: readonly string[] }[], { colours }: Layout): string =>
  parts
    .filter(({ lines }) => lines.length > 0)
    .map(({ heading, lines }) => [...(heading === undefined ? [] : [colours.bold(heading)]), ...lines].join("\n"))
    .join("\n\n");

/** Lines of a paragraph. */
export const paragraph = (text: string, { columns = widest }: Layout): readonly string[] => wrapped(text, Math.min(columns, widest));
