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

/** How much better a question was answered on the way than at the end, and how much better it is answered at the end than before. */
const moved = ({ before, learned, last }: Followed): { readonly lost: number; readonly won: number } => ({
  lost: Math.max(scoreIn(before), scoreIn(learned)) - scoreIn(last),
  won: scoreIn(last) - scoreIn(before),
});

/** How much a question tells: those that were lost before those that were won, and these before what stayed as it was. */
const worth = (question: Followed): number => {
  const { lost, won } = moved(question);
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

/** Headings of answers, and what stands below them. A model that never learns answers once; one that learns all tasks at once has nothing between. */
const columnsOf = ({ summary }: Entry, { questions }: DatasetReplies): readonly (readonly [string, (question: Followed) => Said | null])[] => {
  if (isStill(summary)) return [["Answered", ({ before }) => before]];
  const known = questions.some(({ learned }) => learned !== null);
  return [
    ["Before", ({ before }) => before],
    ...(known ? [["Once learned", ({ learned }: Followed) => learned] as const] : []),
    ["At the end", ({ last }) => last],
  ];
};

type Columns = ReturnType<typeof columnsOf>;

const row = (question: Followed, picture: (id: string) => string | undefined, columns: Columns): string => {
  const { sample: id, prompt, answer } = question;
  const uri = picture(id);
  const image = uri === undefined ? "" : `<img src="${escapeHtml(uri)}" alt="" />`;
  const said = columns.map(([, of]) => cell(of(question))).join("");
  return `<tr title="${escapeHtml(id)}"><th scope="row">${image}${shortened(prompt)}</th><td>${shortened(answer)}</td>${said}</tr>`;
};

const headingsOf = (columns: Columns): readonly string[] => ["Question", "Answer", ...columns.map(([heading]) => heading)];

/** Whether the answers to a dataset are the likeliest of its choices: only by choice is there a chance of guessing right. */
const byChoice = ({ summary: { labelSpace, chance } }: Entry, position: number): boolean =>
  labelSpace === "choice" || (labelSpace === "own" && (chance[position] ?? null) !== null);

/** What the questions that methods show have in common, in the order in which they stand; "" where no answers in words are known. */
export const repliesSentence = (entries: readonly Entry[]): string => {
  const shown = entries.flatMap((entry) => (repliesIn(entry) ?? []).flatMap(shownOf).map((question) => ({ entry, question })));
  const learning = shown.filter(({ entry }) => !isStill(entry.summary)).map(({ question }) => question);
  if (learning.length === 0) return "What test questions are answered with.";
  const lost = learning.filter((question) => moved(question).lost > 0).length;
  const won = learning.filter((question) => moved(question).lost <= 0 && moved(question).won > 0).length;
  const scored = learning.every(({ last }) => (last?.score ?? null) !== null);
  const kinds = [
    ...(lost > 0 ? ["those that were answered better on the way than at the end"] : []),
    ...(won > 0 ? ["those that are answered better than before"] : []),
    ...(lost + won > 0 && lost + won < learning.length ? ["the others"] : []),
  ];
  const order = kinds.length === 1 ? `: ${kinds[0]}` : kinds.map((kind, i) => (i === 0 ? `: first ${kind}` : `, then ${kind}`)).join("");
  const still = scored ? "; at the end none of those shown is answered better or worse than before" : "";
  return `What test questions were answered with${order === "" ? still : order}.`;
};

const methodPart = (entry: Entry, replies: DatasetReplies, picture: (id: string) => string | undefined): string => {
  const { label } = entry.summary;
  const columns = columnsOf(entry, replies);
  const head = headingsOf(columns)
    .map((heading) => `<th scope="col">${heading}</th>`)
    .join("");
  const rows = shownOf(replies).map((question) => row(question, picture, columns));
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
        const columns = columnsOf(entry, replies);
        const lines = shownOf(replies).map((question) =>
          [question.prompt, question.answer, ...columns.map(([, of]) => of(question)?.predicted ?? missing)].join(" | "),
        );
        return [`${replies.dataset}, ${entry.summary.label}`, headingsOf(columns).join(" | "), ...lines].join("\n");
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
    const answers = byChoice(known[0].entry, position) ? "the likeliest choice" : "what the model wrote";
    return folded(`<strong>${escapeHtml(dataset)}</strong> task ${position + 1}; the answers are ${answers}`, methods.join("\n"), position === 0);
  });
  return parts.every((part) => part === "") ? "" : `<div class="gallery">${parts.join("\n")}</div>`;
};
