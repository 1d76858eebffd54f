/** The parts of a page in the order of the questions that a reader has. */
import { comparisons, streamText } from "../report/comparison.ts";
import { escapeHtml } from "../report/format.ts";
import { inEverySpace } from "../report/spaces.ts";
import { comparisonTable } from "./comparison.ts";
import { curves } from "./curves.ts";
import { byStream, entriesOf, isStill, type Entry, type Shown } from "./entries.ts";
import { gains } from "./gains.ts";
import { gallery, gallerySeeds, losesPictures, pictureKey, type Pictures } from "./gallery.ts";
import { lossCurves } from "./lossCurves.ts";
import { matrixKey, matrixScale } from "./matrixTable.ts";
import { methodPart } from "./method.ts";
import { largestRank } from "./rankTable.ts";
import { repliesGallery, repliesSentence } from "./replies.ts";
import { tasksTable } from "./tasks.ts";

/** A part with a heading and a sentence that says how to read it; nothing where there is nothing to show. */
const part = (heading: string, how: string, html: string): string =>
  html === ""
    ? ""
    : `<section><h2>${heading}</h2>
<p>${how}</p>
${html}</section>`;

/** The comparison of every stream below what it says in a sentence; of several streams under their names. */
export const comparisonPart = (all: readonly Entry[]): string => {
  const streams = byStream(all);
  const heading = (datasets: readonly string[]): string => (streams.length > 1 ? `<h3>${escapeHtml(streamText(datasets))}</h3>` : "");
  const one = (entries: readonly Entry[]): readonly string[] =>
    comparisons(entries.map(({ summary }) => summary)).map(
      (comparison) => `${heading(comparison.datasets)}${comparison.sentence === "" ? "" : `<p class="verdict">${escapeHtml(comparison.sentence)}</p>`}
${gains(entries)}
${comparisonTable(comparison, entries)}`,
    );
  return streams.flatMap(one).join("\n");
};

/** The curves of every stream. */
export const curvePanels = (entries: readonly Entry[]): string => byStream(entries).map(curves).join("\n");

const methodParts = (entries: readonly Entry[]): string => {
  const summaries = entries.flatMap(({ summary }) => inEverySpace(summary));
  const [scale, largest] = [matrixScale(summaries), largestRank(summaries)];
  // The row of a model that never trains stands in every other matrix.
  const learning = entries.filter(({ summary }) => !isStill(summary));
  return `${matrixKey(summaries, scale)}
${(learning.length > 0 ? learning : entries).map((entry) => methodPart(entry, scale, largest)).join("\n")}`;
};

/** The page without what stands around it, from runs of one stream or several: what a notebook shows. */
export const reportBody = (runs: readonly Shown[], pictures?: Pictures): string => {
  const entries = entriesOf(runs);
  if (entries.length === 0) return "<p>No results.</p>";
  const streams = byStream(entries);
  const all = (draw: (of: readonly Entry[]) => string): string => streams.map(draw).join("\n");
  return [
    `<section class="result">${comparisonPart(entries)}</section>`,
    part(
      "What is kept and what is lost",
      "Accuracy on each dataset, %, over the tasks learned, from zero-shot at 0; the dotted upright is the task that learns it. Each panel has its own scale.",
      all(curves),
    ),
    losesPictures(entries)
      ? part(
          "Pictures that were lost",
          `Test pictures that were right once their task was learned and are wrong at the end, and what the model says now.${gallerySeeds(entries)}`,
          all((of) => gallery(of, pictures)),
        )
      : part(
          "Class by class",
          "No test picture that the model had right once its task was learned is wrong at the end.",
          all((of) => gallery(of)),
        ),
    part(
      "Questions and answers",
      repliesSentence(entries),
      all((of) => repliesGallery(of, (dataset, id) => pictures?.get(pictureKey(dataset, id)))),
    ),
    part("The tasks", "In the order in which they are learned.", all(tasksTable)),
    part("How the loss fell", "Means of the loss from the first step of a task to its last.", all(lossCurves)),
    part("Method by method", "Accuracy in percent on each dataset (columns) after each task (rows).", methodParts(entries)),
  ].join("\n");
};
