/** Questions with what was answered: those that were lost first, before and after side by side, escaped, with their pictures. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bundleOf, displayReplies } from "../../src/page/display.ts";
import { reportBody } from "../../src/page/body.ts";
import { pictureKey } from "../../src/page/gallery.ts";
import { parseReplies, type DatasetReplies, type Followed } from "../../src/report/replies.ts";
import type { RunResult } from "../../src/report/result.ts";
import { datasets, learned, openTags, still } from "../report/fixture.ts";

const said = (predicted: string, score: number | null) => ({ predicted, score });

const question = (sample: string, before: string, then: string | null, last: string): Followed => ({
  sample,
  prompt: `what is ${sample}?`,
  answer: "a cat",
  ...{ before: said(before, before === "a cat" ? 100 : 0), learned: then === null ? null : said(then, then === "a cat" ? 100 : 0) },
  last: said(last, last === "a cat" ? 100 : 0),
});

const replies: readonly DatasetReplies[] = [
  {
    dataset: datasets[0],
    questions: [question("kept", "a cat", "a cat", "a cat"), question("won", "a dog", "a cat", "a cat"), question("lost", "a cat", "a cat", "<i>")],
  },
];

test("a method that learns: what was lost stands before what was won, with what was said before, once learned, and at the end", () => {
  const { "text/html": html, "text/plain": text } = bundleOf(displayReplies([{ result: learned(1, 0), replies }]));
  assert.is(
    text,
    [
      "animals, codyra",
      "Question | Answer | Before | Once learned | At the end",
      "what is lost? | a cat | a cat | a cat | <i>",
      "what is won? | a cat | a dog | a cat | a cat",
      "what is kept? | a cat | a cat | a cat | a cat",
    ].join("\n"),
  );
  assert.equal(openTags(html), []);
  assert.match(html, "<td>&lt;i&gt;</td>");
  assert.is([...html.matchAll(/<td class="best">a cat<\/td>/g)].length, 7);
});

test("an answer that has no score of its own stands without one, and is read again", () => {
  const alone = replies.map((all) => ({ ...all, questions: [{ ...question("caption", "a dog", "a dog", "a dog"), last: said("a cow", null) }] }));
  assert.equal(parseReplies("replies.json")(JSON.stringify(alone)), { _tag: "Right", right: alone });
  const { "text/html": html } = bundleOf(displayReplies([{ result: learned(1, 0), replies: alone }]));
  assert.match(html, "<td>a cow</td>");
});

test("a method that never learns answers once, and a picture stands beside its question", () => {
  const once = replies.map((all) => ({ ...all, questions: [question("new", "a dog", null, "a dog")] }));
  const { "text/html": html, "text/plain": text } = bundleOf(
    displayReplies([{ result: still, replies: once }], new Map([[pictureKey(datasets[0], "new"), "data:image/png;base64,AA=="]])),
  );
  assert.is(text, "animals, zero-shot\nQuestion | Answer | Answered\nwhat is new? | a cat | a dog");
  assert.match(html, '<img src="data:image/png;base64,AA==" alt="" />what is new?');
});

test("the sentence above says what is shown, and each task whether answers are choices or written", () => {
  const page = (result: RunResult, ...questions: readonly Followed[]): string => reportBody([{ result, replies: [{ dataset: datasets[0], questions }] }]);
  const run = learned(1, 0);
  const [lost, won, same] = [question("l", "a dog", "a cat", "a dog"), question("w", "a dog", "a cat", "a cat"), question("s", "a dog", "a dog", "a dog")];
  assert.match(
    page({ ...run, labelSpace: "choice" }, same, won, lost),
    "answered with: first those that were answered better on the way than at the end, then those that are answered better than before, then the others.",
  );
  assert.match(page({ ...run, labelSpace: "choice" }, won), "answered with: those that are answered better than before.");
  assert.match(page(run, same), "; at the end none of those shown is answered better or worse than before.");
  assert.match(page(still, question("new", "a dog", null, "a dog")), "<p>What test questions are answered with.</p>");
  assert.match(page({ ...run, labelSpace: "choice" }, won), "task 1; the answers are the likeliest choice");
  assert.match(page({ ...run, labelSpace: "exact" }, won), "task 1; the answers are what the model wrote");
  assert.match(page({ ...run, labelSpace: "own", chance: [50, null, null] }, won), "task 1; the answers are the likeliest choice");
});

test("where all tasks are learned at once, nothing stands between before and the end", () => {
  const joint = replies.map((all) => ({ ...all, questions: [question("new", "a dog", null, "a cat")] }));
  const { "text/plain": text } = bundleOf(displayReplies([{ result: learned(1, 0), replies: joint }]));
  assert.is(text.split("\n")[1], "Question | Answer | Before | At the end");
});

test("scores stand under Scored by, and are explained", () => {
  const run = { ...learned(1, 0), labelSpace: "own" };
  const html = reportBody([{ ...run, also: { choice: run, exact: run } }]);
  assert.match(html, '<th scope="col" class="among">Scored by</th>');
  assert.match(html, '<td class="among">the likeliest choice</td>');
  assert.match(html, /<dt>Scored by<\/dt><dd>each task\S{1,6}s own score: /);
  assert.match(html, "exact match: what the model writes is right");
  assert.not.match(html, ">Among<");
});

test("runs without answers in words show none", () => {
  assert.match(bundleOf(displayReplies([learned(1, 0)]))["text/html"], "<p>No answers.</p>");
});

test.run();
