/** The comparison as aligned text for a terminal. */
import { legible } from "../failure.ts";
import { comparisons, streamText, type Cell, type Column, type Comparison, type Row } from "./comparison.ts";
import type { RunResult } from "./result.ts";
import { summarise } from "./summary.ts";

/** The width in characters, not in UTF-16 units. */
const width = (text: string): number => [...text].length;
const widest = (texts: readonly string[]): number => Math.max(0, ...texts.map(width));
const pad = (n: number): string => " ".repeat(Math.max(0, n));

/** Texts filled up with spaces on the right to the width of the longest. */
export const alignLeft = (texts: readonly string[]): readonly string[] => texts.map((x) => x + pad(widest(texts) - width(x)));
/** Texts filled up with spaces on the left to the width of the longest. */
export const alignRight = (texts: readonly string[]): readonly string[] => texts.map((x) => pad(widest(texts) - width(x)) + x);

/** A text as lines of at most `most` characters (2 or more), broken between words but not before "%"; only a word that is longer is broken itself. */
export const wrapped = (text: string, most: number): readonly string[] =>
  width(text) <= most ? [text.trim()] : (text.match(new RegExp(`\\S(?:.{0,${most - 2}}\\S)?(?!\\S| %)|\\S{${most}}`, "gu")) ?? [""]);

/** Mean and deviation of a column's cells. Where some have a deviation, the others are padded by its width, so that the means stand below each other. */
const cellTexts = (cells: readonly Cell[]): readonly string[] => {
  const tails = cells.map(({ deviation }) => (deviation === "" ? "" : ` \u00b1 ${deviation}`));
  return cells.map(({ mean }, i) => mean + pad(widest(tails) - width(tails[i])) + tails[i]);
};

/** A column as it stands in the table, all of one width: its heading over some lines, and a cell for each row. */
interface Block {
  readonly heading: readonly string[];
  readonly cells: readonly string[];
}

/** Columns in parts: as many beside each other as fit into `most` characters, each at least one. */
const parts = (columns: readonly Block[], most: number): readonly (readonly Block[])[] => {
  const all: Block[][] = [];
  let taken = Infinity;
  for (const c of columns) {
    const more = 2 + width(c.heading[0]);
    if (taken + more > most) [all[all.length], taken] = [[], 0];
    all[all.length - 1].push(c);
    taken += more;
  }
  return all;
};

/** Columns beside the names of their rows, each of some lines; headings stand on the rule below them. A row of which they say nothing is left out. */
const drawn = (names: readonly (readonly string[])[], columns: readonly Block[]): string => {
  const [first, ...left] = alignLeft(["Method", ...names.map(([line]) => line)]);
  const height = Math.max(1, ...columns.map(({ heading }) => heading.length));
  const head = Array.from({ length: height }, (_, i) => {
    return [i === height - 1 ? first : pad(width(first)), ...columns.map(({ heading }) => heading[heading.length - height + i] ?? pad(width(heading[0])))].join(
      "  ",
    );
  });
  const body = names.flatMap(([, ...more], i) => {
    const cells = columns.map((c) => c.cells[i]);
    return cells.every((cell) => cell.trim() === "") ? [] : [[left[i], ...cells].join("  "), ...more];
  });
  return [...head, "\u2500".repeat(width(head[0])), ...body].map((line) => line.trimEnd()).join("\n");
};

/** The longest lines of names and of headings: a method's options and a probe's name may be long. */
const longest = { name: 32, heading: 14 };

/** The name of a row. That of another label space stands below the run's own, and so do further lines. */
const nameLines = ({ summary, elsewhere }: Row): readonly string[] =>
  wrapped(legible(elsewhere ? summary.labelSpace : summary.label), longest.name - 2).map((line, i) => (elsewhere || i > 0 ? `  ${line}` : line));

/**
 * One table where it fits. Otherwise what was measured stands above and what it cost below it, each in as many parts as it takes, with the names again: so a
 * terminal breaks no line, however many probes there are, and no digit is left out. At 120 characters means alone make one table, and deviations two.
 */
const text = ({ columns, rows, sentence, notes }: Comparison, most: number): string => {
  const names = rows.map(nameLines);
  const block = (c: Column, k: number): Block => {
    const heading = wrapped(legible(c.heading), longest.heading);
    const aligned = alignRight([...heading, ...cellTexts(rows.map(({ cells }) => cells[k]))]);
    return { heading: aligned.slice(0, heading.length), cells: aligned.slice(heading.length) };
  };
  const blocks = columns.map(block);
  const room = most - widest(["Method", ...names.flat()]);
  const whole = parts(blocks, room);
  const costs = columns.filter(({ kind }) => kind === "cost").length;
  const split = whole.length < 2 ? whole : [blocks.slice(0, -costs), blocks.slice(-costs)].flatMap((some) => parts(some, room));
  // Text has no bold, so it needs no word on it.
  const below = [notes.seeds, sentence].filter((line) => line !== "").flatMap((line) => wrapped(line, most));
  return [...split.map((part) => drawn(names, part)), ...(below.length === 0 ? [] : [below.join("\n")])].join("\n\n");
};

/** The width of a table where none is given. */
const usual = 120;

/**
 * The comparison as aligned text of at most `columns` characters a line, and below it the sentence that says it; with several seeds of a method as mean ±
 * sample standard deviation. A table for each stream, under the names of its tasks where there are several streams. The width is rounded down and 40 at
 * least; NaN and 0 are the usual 120, and with infinity a table is in one part and a sentence on one line.
 *
 * ```ts
 * const facts = { method: "mine", options: {}, seed: 0, adapter: "", trainableParameters: 1, bytesKept: 0, ranks: [], seconds: 1 };
 * const matrix = { datasets: ["pets", "cars"], rows: [[90, 40], [80, 70]] };
 * const table = report.textTable([report.runResult({ ...facts, zeroShot: [60, 40], matrix })]);
 * assert.ok(table.endsWith("mine keeps 83 % of the 30.0 points it gained on this stream with the task given."));
 * ```
 */
export const textTable = (results: readonly RunResult[], columns = usual): string => {
  // A terminal that does not know its width says 0.
  const most = Number.isNaN(columns) || columns === 0 ? usual : Math.min(Number.MAX_SAFE_INTEGER, Math.max(40, Math.floor(columns)));
  const all = comparisons(summarise(results));
  if (all.length === 0) return drawn([], []);
  const caption = ({ datasets }: Comparison): string => (all.length === 1 ? "" : `${wrapped(`${streamText(datasets)}:`, most).join("\n")}\n\n`);
  return all.map((c) => caption(c) + text(c, most)).join("\n\n");
};
