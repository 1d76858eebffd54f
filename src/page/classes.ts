/** The accuracy on single classes of a dataset, right after its task and at the end, and what each is most often taken for. */
import { count, fixed } from "../report/format.ts";
import type { DatasetAnswers } from "../report/runReport.ts";
import { classRows, type ClassRow } from "./answers.ts";
import { breakable, counted, folded, scrolling } from "./markup.ts";
import { level } from "./palette.ts";
import { saveRows, type Value } from "./save.ts";

/** How many classes are shown: the worst. */
const most = 20;

const percent = fixed(0);
const colour = level([0, 100]);

const cell = (x: number | null): string => (x === null ? `<td class="hole">\u00b7</td>` : `<td class="v${colour(x)}">${percent(x)}</td>`);

const line = ({ name, images, learned, last, taken }: ClassRow): string => {
  const confused = taken === undefined ? "" : `${breakable(taken.name)} <small>${taken.images} of ${images}</small>`;
  return `<tr><th scope="row">${breakable(name)}</th><td>${count(images)}</td>${cell(learned)}${cell(last)}<td class="name">${confused}</td></tr>`;
};

const values = (rows: readonly ClassRow[]): readonly (readonly Value[])[] => [
  ["class", "images", "right then, %", "right now, %", "most often taken for", "so many times"],
  ...rows.map(({ name, images, learned, last, taken }) => [name, images, learned, last, taken?.name ?? null, taken?.images ?? null]),
];

/** The worst classes of a dataset, on demand. */
export const classTable = (answers: DatasetAnswers, label: string): string => {
  const rows = classRows(answers);
  if (rows.length === 0) return "";
  const shown = rows.slice(0, most);
  const heading = rows.length > most ? `The ${most} worst of ${count(rows.length)} classes` : counted(rows.length, "class", "classes");
  const table = `<table class="heat classes">
<thead><tr><th scope="col">class</th><th scope="col">images</th><th scope="col">right then, %</th><th scope="col">right now, %</th>
<th scope="col" class="name">most often taken for</th></tr></thead>
<tbody>${shown.map(line).join("\n")}</tbody></table>`;
  return folded(heading, `${scrolling(`Classes of ${answers.dataset}, ${label}`, table)}${saveRows(`${answers.dataset} ${label} classes`, values(shown))}`);
};
