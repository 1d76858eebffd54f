/** The table of `npm run bench:gpu`. */

/** Something that was measured. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly measured: string;
  /** What it stands beside. */
  readonly beside?: string;
  readonly ratio?: number;
  /** What the ratio should be. */
  readonly goal?: { readonly most: number } | { readonly least: number } | undefined;
}

/** Whether a goal is met; undefined where there is none. */
export const met = ({ ratio, goal }: Row): boolean | undefined => {
  if (ratio === undefined || goal === undefined) return undefined;
  return "most" in goal ? ratio <= goal.most : ratio >= goal.least;
};

const goalText = ({ goal }: Row): string => (goal === undefined ? "" : "most" in goal ? `at most ${goal.most}` : `at least ${goal.least}`);

/** Rows as a table in Markdown. */
export const markdown = (rows: readonly Row[]): string => {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const lines = rows.map((row) => {
    const reached = met(row);
    const cells = [
      row.part,
      row.what,
      row.measured,
      row.beside ?? "",
      row.ratio?.toFixed(2) ?? "",
      goalText(row),
      reached === undefined ? "" : reached ? "yes" : "**no**",
    ];
    return `| ${cells.map(cell).join(" | ")} |`;
  });
  return ["| part | what | measured | beside | ratio | goal | met |", "|---|---|---|---|---:|---|---|", ...lines].join("\n");
};
