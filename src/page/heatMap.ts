/** A heat map as inline SVG, small enough to stand beside others: a notebook's accuracy matrices and ranks. */
import { escapeHtml, missing } from "../report/format.ts";
import { level } from "./palette.ts";
import { alignLeft, alignRight } from "../report/table.ts";

/** Named rows and columns of values; `null` where there is none. */
export interface HeatMap {
  readonly title: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly format: (x: number) => string;
  /** Cells with a frame. Default: none. */
  readonly framed?: (row: number, column: number) => boolean;
}

const cell = { width: 38, height: 24, gap: 2 };

/** What a character of a label takes, in pixels. */
const character = 5.9;

const longest = (labels: readonly string[]): number => Math.max(0, ...labels.map((label) => [...label].length)) * character;

/** The heat map as SVG, coloured by `domain`, the values of the ramp's two ends: maps of one domain can be compared. */
export const heatMap = (map: HeatMap, domain: readonly [number, number]): string => {
  const { title, rows, columns, values, format, framed = () => false } = map;
  const colour = level(domain);
  // Column labels that are too long for their column go up at 45 degrees, and the last one needs room on the right.
  const length = longest(columns);
  const slanted = length > cell.width;
  const lean = slanted ? length * Math.SQRT1_2 : 0;
  const [left, top] = [longest(rows) + 8, slanted ? lean + 14 : 18];
  const x = (j: number): number => left + j * (cell.width + cell.gap);
  const y = (i: number): number => top + i * (cell.height + cell.gap);
  const [width, height] = [Math.ceil(x(columns.length) + Math.max(0, lean - cell.width / 2)), Math.ceil(y(rows.length))];
  const rowLabels = rows.map((row, i) => `<text x="${(left - 8).toFixed(1)}" y="${(y(i) + 16).toFixed(1)}" text-anchor="end">${escapeHtml(row)}</text>`);
  const columnLabels = columns.map((column, j) => {
    const [cx, cy] = [(x(j) + cell.width / 2).toFixed(1), (top - 7).toFixed(1)];
    const place = slanted ? `transform="translate(${cx} ${cy}) rotate(-45)"` : `x="${cx}" y="${cy}" text-anchor="middle"`;
    return `<text ${place}>${escapeHtml(column)}</text>`;
  });
  const cells = values.flatMap((row, i) =>
    row.map((value, j) => {
      const text = value === null ? missing : format(value);
      const look = value === null ? "" : ` v${colour(value)}`;
      const box = `x="${x(j).toFixed(1)}" y="${y(i).toFixed(1)}" width="${cell.width}" height="${cell.height}"`;
      return (
        `<g class="cell${look}"><title>${escapeHtml(`${rows[i]}, ${columns[j]}: ${text}`)}</title>` +
        `<rect ${box}${framed(i, j) ? ` class="framed"` : ""}/>` +
        `<text x="${(x(j) + cell.width / 2).toFixed(1)}" y="${(y(i) + 16).toFixed(1)}" text-anchor="middle">${text}</text></g>`
      );
    }),
  );
  return `<figure><h4>${escapeHtml(title)}</h4>
<svg viewBox="0 0 ${width} ${height}" style="width:${width}px" role="img" aria-label="${escapeHtml(title)}">
${[...columnLabels, ...rowLabels, ...cells].join("\n")}
</svg></figure>`;
};

/** The heat map as aligned text. */
export const heatMapText = ({ title, rows, columns, values, format }: HeatMap): string => {
  const aligned = [
    alignLeft([title, ...rows]),
    ...columns.map((column, j) => alignRight([column, ...values.map((row) => (row[j] === null ? missing : format(row[j])))])),
  ];
  return aligned[0]
    .map((_, i) =>
      aligned
        .map((column) => column[i])
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
};
