/** Questions with what each method answered: before the stream, once their task was learned, and at the end. */
import { escapeHtml, missing } from "../report/format.ts";
import type { DatasetReplies, Followed, Said } from "../report/replies.ts";
import type { RunReport } from "../report/runReport.ts";
import { sample } from "./chart.ts";
import { isStill, type Entry } from "./entries.ts";
import { counted, folded, scrolling } from "./markup.ts";

/** How many questions a method shows of a task, and how many characters of each. */
const [most, longest] = [8, 240];

/** The seed whose answers stand for its method: the first whose answers are known. */
const repliesIn = ({ reports }: Entry): RunReport["replies"] => reports.find(({ replies = [] }) => replies.length > 0)?.replies;

const scoreIn = (said: Said | null): number => said?.score ?? 0;

/** How much a question tells: those that were lost before those that were won, and these before what stayed as it was. */
const worth = ({ before, learned, last }: Followed): number => {
  const [lost, won] = [scoreIn(learned) - scoreIn(last), scoreIn(last) - scoreIn(before)];
  return lost > 0 ? 2 + lost / 100 : won > 0 ? 1 + won / 100 : 0;
};

/** The questions that a method shows of a dataset. */
export const shownOf = ({ questions }: DatasetReplies): readonly Followed[] =>
  questions
    .map((question, i) => ({ question, i }))
    .sort((a, b) => worth(b.question) - worth(a.question) || a.i - b.i)
    .slice(0, most)
    .map(({ question }) => question);

/** The questions that a page shows of an entry, by dataset. */
export const questionsOf = (entry: Entry): readonly { readonly dataset: string; readonly ids: readonly string[] }[] =>
  (repliesIn(entry) ?? []).map((replies) => ({ dataset: replies.dataset, ids: shownOf(replies).map((question) => question.sample) }));

const shortened = (text: string): string => escapeHtml(text.length > longest ? `…${text.slice(-longest)}` : text);

/** An answer with what it scores, where that is neither all nor nothing; a right one stands out. */
const cell = (said: Said | null): string => {
  if (said === null) return `<td>${missing}</td>`;
  const { score } = said;
  const partial = score !== null && score > 0 && score < 100 ? ` <small>${score.toFixed(0)} %</small>` : "";
  return `<td${score === 100 ? ` class="best"` : ""}>${shortened(said.predicted)}${partial}</td>`;
};

const row = ({ sample: id, prompt, answer, before, learned, last }: Followed, picture: (id: string) => string | undefined, learns: boolean): string => {
  const uri = picture(id);
  const image = uri === undefined ? "" : `<img src="${escapeHtml(uri)}" alt="" />`;
  const said = (learns ? [before, learned, last] : [before]).map(cell).join("");
  return `<tr title="${escapeHtml(id)}"><th scope="row">${image}${shortened(prompt)}</th><td>${shortened(answer)}</td>${said}</tr>`;
};

const headingsOf = ({ summary }: Entry): readonly string[] => [
  "Question",
  "Answer",
  ...(isStill(summary) ? ["Answered"] : ["Before", "Once learned", "At the end"]),
];

const methodPart = (entry: Entry, replies: DatasetReplies, picture: (id: string) => string | undefined): string => {
  const { label } = entry.summary;
  const head = headingsOf(entry)
    .map((heading) => `<th scope="col">${heading}</th>`)
    .join("");
  const rows = shownOf(replies).map((question) => row(question, picture, !isStill(entry.summary)));
  const table = `<table class="summary replies"><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table>`;
  const { length } = replies.questions;
  const more = length > rows.length ? `<p class="note">of ${counted(length, "question")}</p>` : "";
  return `<h4>${sample(entry.look)}${escapeHtml(label)}</h4>${scrolling(`Questions of ${replies.dataset}, ${label}`, table)}${more}`;
};

/** The questions of some methods as text: a table for each dataset and method. */
export const repliesText = (entries: readonly Entry[]): string =>
  entries
    .flatMap((entry) =>
      (repliesIn(entry) ?? []).map((replies) => {
        const learns = !isStill(entry.summary);
        const lines = shownOf(replies).map(({ prompt, answer, before, learned, last }) =>
          [prompt, answer, ...(learns ? [before, learned, last] : [before]).map((said) => said?.predicted ?? missing)].join(" | "),
        );
        return [`${replies.dataset}, ${entry.summary.label}`, headingsOf(entry).join(" | "), ...lines].join("\n");
      }),
    )
    .join("\n\n");

/** The questions of methods that ran on the same datasets; an empty string where no answers in words are known. */
export const repliesGallery = (entries: readonly Entry[], picture: (dataset: string, id: string) => string | undefined): string => {
  const { datasets } = entries[0].summary;
  const parts = datasets.map((dataset, position) => {
    const known = entries.flatMap((entry) => (repliesIn(entry) ?? []).filter((replies) => replies.dataset === dataset).map((replies) => ({ entry, replies })));
    if (known.length === 0) return "";
    const methods = known.map(({ entry, replies }) => methodPart(entry, replies, (id) => picture(dataset, id)));
    return folded(`<strong>${escapeHtml(dataset)}</strong> task ${position + 1}`, methods.join("\n"), position === 0);
  });
  return parts.every((part) => part === "") ? "" : `<div class="gallery">${parts.join("\n")}</div>`;
};
