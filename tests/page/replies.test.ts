/** Questions with what was answered: those that were lost first, before and after side by side, escaped, with their pictures. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bundleOf, displayReplies } from "../../src/page/display.ts";
import { pictureKey } from "../../src/page/gallery.ts";
import { parseReplies, type DatasetReplies, type Followed } from "../../src/report/replies.ts";
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

test("runs without answers in words show none", () => {
  assert.match(bundleOf(displayReplies([learned(1, 0)]))["text/html"], "<p>No answers.</p>");
});

test.run();
