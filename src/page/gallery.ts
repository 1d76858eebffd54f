/** Pictures of each task that were right once it was learned and are wrong at the end, by method. */
import { escapeHtml } from "../report/format.ts";
import type { DatasetAnswers, RunReport } from "../report/runReport.ts";
import { spreadOut, turned, type Turned } from "./answers.ts";
import { sample } from "./chart.ts";
import { classTable } from "./classes.ts";
import { entriesOf, isJoint, isStill, type Entry, type Shown } from "./entries.ts";
import { counted, folded, unique } from "./markup.ts";
import { questionsOf } from "./replies.ts";

/** Pictures to show, as `data:` URIs by {@link pictureKey}. */
export type Pictures = ReadonlyMap<string, string>;

/** How many pictures a method shows of a task. */
const most = 8;

/** What a picture is called among {@link Pictures}. */
export const pictureKey = (dataset: string, id: string): string => `${dataset}/${id}`;

/** The seed whose pictures stand for its method: the first whose answers are known. */
const seedShown = ({ reports }: Entry): RunReport | undefined => reports.find(({ answers }) => answers !== undefined && answers.length > 0);

const answersOf = (entry: Entry, dataset: string): DatasetAnswers | undefined => seedShown(entry)?.answers?.find((answers) => answers.dataset === dataset);

/** The pictures that a page of these runs shows, of images and of questions, by dataset and id. */
export const picturesOf = (runs: readonly Shown[]): readonly { readonly dataset: string; readonly ids: readonly string[] }[] => {
  const shown = entriesOf(runs).flatMap((entry) => [
    ...(seedShown(entry)?.answers ?? []).map((answers) => ({
      dataset: answers.dataset,
      ids: spreadOut(answers, turned(answers).lost, most).map((i) => answers.ids[i]),
    })),
    ...questionsOf(entry),
  ]);
  return unique(shown.map(({ dataset }) => dataset)).map((dataset) => ({
    dataset,
    ids: unique(shown.filter((some) => some.dataset === dataset).flatMap(({ ids }) => ids)),
  }));
};

const tile = ({ dataset, ids, labels, last, classNames }: DatasetAnswers, i: number, pictures: Pictures): string => {
  const [name, answer] = [classNames[labels[i]], classNames[last[i] ?? labels[i]]];
  const uri = pictures.get(pictureKey(dataset, ids[i]));
  const picture = uri === undefined ? "" : `<img src="${escapeHtml(uri)}" alt="" />`;
  const title = escapeHtml(`${ids[i]}: ${name}, taken for ${answer}`);
  return `<figure title="${title}">${picture}<figcaption>${escapeHtml(name)} <span>\u2192\u00a0${escapeHtml(answer)}</span></figcaption></figure>`;
};

/** The answers of a method to the pictures of a task, and which of them turned. */
interface Known extends Turned {
  readonly entry: Entry;
  readonly answers: DatasetAnswers;
}

/** What became of the right answers of a task, in a few words. */
const verdict = ({ entry: { summary }, lost, won, rightThen }: Known): string => {
  if (rightThen === null) return isStill(summary) ? "never trained" : isJoint(summary) ? "learned all tasks at once" : "not scored once it was learned";
  const gained = won.length === 0 ? "" : `, ${won.length} won since`;
  return `${lost.length} of ${counted(rightThen, "right answer")} lost${gained}`;
};

const methodPart = (known: Known, pictures: Pictures): string => {
  const { entry, answers, lost } = known;
  const shown = spreadOut(answers, lost, most);
  const bare = shown.every((i) => !pictures.has(pictureKey(answers.dataset, answers.ids[i])));
  const tiles = `<div class="shots${bare ? " bare" : ""}">${shown.map((i) => tile(answers, i, pictures)).join("\n")}</div>`;
  const more = lost.length > shown.length ? `<p class="note">and ${lost.length - shown.length} more</p>` : "";
  return `<h4>${sample(entry.look)}${escapeHtml(entry.summary.label)} <span>${verdict(known)}</span></h4>
${shown.length === 0 ? "" : `${tiles}${more}`}${classTable(answers, entry.summary.label)}`;
};

/** One task: what every method lost of it, in short, and on demand in pictures. */
const taskPart = (entries: readonly Entry[], dataset: string, position: number, pictures: Pictures): string => {
  const known = entries.flatMap((entry): readonly Known[] => {
    const answers = answersOf(entry, dataset);
    return answers === undefined ? [] : [{ entry, answers, ...turned(answers) }];
  });
  if (known.length === 0) return "";
  const learning = known.filter(({ rightThen }) => rightThen !== null);
  const short = learning.map(
    ({ entry, lost, rightThen }) => `<span>${sample(entry.look)}${escapeHtml(entry.summary.label)} ${lost.length} of ${rightThen}</span>`,
  );
  const counts = short.length === 0 ? "" : ` <span class="key">lost: ${short.join(" ")}</span>`;
  const heading = `<strong>${escapeHtml(dataset)}</strong> task ${position + 1}${counts}`;
  const last = known.filter(({ rightThen }) => rightThen === null);
  return folded(
    heading,
    [...learning, ...last].map((one) => methodPart(one, pictures)).join("\n"),
    position === 0 && known.some(({ lost }) => lost.length > 0),
  );
};

/** Whether a method lost a picture that it had right. */
export const losesPictures = (entries: readonly Entry[]): boolean =>
  entries.some((entry) => (seedShown(entry)?.answers ?? []).some((answers) => turned(answers).lost.length > 0));

/** Whose pictures these are, where a method has several seeds. */
export const gallerySeeds = (entries: readonly Entry[]): string =>
  entries.some(({ reports }) => reports.length > 1) ? " Of several seeds these are the answers of the first." : "";

/** The galleries of methods that ran on the same datasets; an empty string where no answers are known. */
export const gallery = (entries: readonly Entry[], pictures: Pictures = new Map()): string => {
  const { datasets } = entries[0].summary;
  const parts = datasets.map((dataset, j) => taskPart(entries, dataset, j, pictures));
  return parts.every((part) => part === "") ? "" : `<div class="gallery">${parts.join("\n")}</div>`;
};
