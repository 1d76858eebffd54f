/** What tasks of every kind have in common when a stream is described: lines of their splits, and the table with what stands below it. */
import { printable, someOf } from "../data/leftOut.ts";

/** What there is to say of one split: what its reader says, and the ids of what cannot be read. */
export interface SplitSaid {
  readonly notes: readonly string[];
  readonly unread: readonly string[];
  /** Why the first of these cannot be read. */
  readonly reason?: string;
}

/** The lines of a task's splits; what is said of both stands once. */
export const splitLines = (train: SplitSaid | undefined, test: SplitSaid): readonly string[] => {
  const ofBoth = new Set((train?.notes ?? []).filter((note) => test.notes.includes(note)));
  const ofSplit = (name: string, split: SplitSaid | undefined): readonly string[] => [
    ...(split?.notes ?? []).filter((note) => !ofBoth.has(note)).map((note) => `${name}: ${note}`),
    ...(split !== undefined && split.unread.length > 0
      ? [`${name}: ${split.unread.length} cannot be read: ${someOf(split.unread, 1)}${split.reason === undefined ? "" : ` (${split.reason})`}`]
      : []),
  ];
  return [...ofBoth, ...ofSplit("training", train), ...ofSplit("test", test)];
};

/** A table of columns, each with its heading, and the notes of all tasks below it. */
export const streamTable = (
  columns: readonly (readonly string[])[],
  tasks: readonly { readonly name: string; readonly notes: readonly string[] }[],
): string => {
  const [head, ...rows] = columns[0].map((_, row) => columns.map((column) => column[row]).join("  "));
  const notes = tasks.flatMap((task) => task.notes.map((line) => `${printable(task.name)}: ${line}`));
  return [head, "\u2500".repeat(head.length), ...rows, ...notes].join("\n");
};
