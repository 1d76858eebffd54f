/** The gallery: which pictures a page asks for, and what it says of them. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import { pictureKey, picturesOf } from "../../src/page/gallery.ts";
import { htmlReport } from "../../src/page/html.ts";
import type { RunReport } from "../../src/report/runReport.ts";
import { learned, openTags } from "../report/fixture.ts";
import { answered } from "./reports.ts";

const count = (text: string, what: RegExp): number => [...text.matchAll(what)].length;

/** A run that lost `n` pictures of one class. */
const losing = (n: number, classes = 1): RunReport => {
  const { result } = answered();
  const classNames = Array.from({ length: classes + 1 }, (_, c) => `class ${c}`);
  const ids = Array.from({ length: n }, (_, i) => `picture ${i}`);
  const labels = ids.map((_, i) => i % classes);
  return { result, answers: [{ dataset: "animals", classNames, ids, labels, learned: labels, last: ids.map(() => classes) }] };
};

test("pictures are asked for once, whichever methods show them; of a method with several seeds, those of the first that has answers", () => {
  assert.equal(picturesOf([answered("codyra"), answered("sequential-lora")]), [
    { dataset: "animals", ids: ["a0", "a1"] },
    { dataset: "trees", ids: [] },
  ]);
  const { answers: _answers, ...bare } = answered("codyra", 1);
  const other = answered("codyra", 2);
  const [animals] = other.answers!;
  const second = { ...other, answers: [{ ...animals, last: [0, 1, 1, 2] }] };
  assert.equal(picturesOf([bare, second, answered("codyra", 3)]), [{ dataset: "animals", ids: ["a1"] }]);
  assert.equal(picturesOf([learned(1, 0)]), []);
});

test("a picture stands with its name and what it is taken for; one that is missing is told in words", () => {
  const html = htmlReport([answered()], { pictures: new Map([[pictureKey("animals", "a0"), "data:image/webp;base64,AAAA"]]) });
  assert.equal(openTags(html), []);
  assert.is(count(html, /<img src="data:image\/webp;base64,AAAA" alt="" \/>/g), 1);
  assert.is(count(html, /<img /g), 1);
  assert.is(count(html, /<figcaption>cat <span>\u2192\u00a0dog<\/span><\/figcaption>/g), 2);
  assert.match(html, "img-src data:");
  assert.match(html, "2 of 3 right answers lost, 1 won since");
  assert.match(html, "0 of 4 right answers lost<");
});

test("at most eight pictures of a task are shown, and how many more there are", () => {
  const html = htmlReport([losing(31)]);
  assert.is(count(html, /<figcaption>/g), 8);
  assert.match(html, "and 23 more");
  assert.not.match(htmlReport([losing(8)]), /and \d+ more/);
});

test("of many classes the worst twenty are shown", () => {
  const html = htmlReport([losing(1000, 1000)]);
  assert.match(html, "The 20 worst of 1,000 classes");
  assert.is(count(html, /<td class="name">/g), 20);
  assert.ok(html.length < 100_000, `${html.length} characters`);
});

test("a model that never trains and one that learned all at once lose nothing, and say why", () => {
  const { result, answers } = answered("zero-shot");
  const blind = answers!.map((of) => ({ ...of, learned: of.ids.map(() => null) }));
  const html = htmlReport([answered(), { result: { ...result, trainableParameters: 0 }, answers: blind }]);
  assert.match(html, "never trained");
  const joint = {
    ...answered("joint").result,
    matrix: [
      [null, null],
      [60, 70],
    ],
  };
  assert.match(htmlReport([answered(), { result: joint, answers: blind }]), "learned all tasks at once");
});

test("without answers there is no gallery, and without losses there are no curves of them", () => {
  const bare = htmlReport([learned(1, 0)]);
  assert.not.match(bare, "Pictures that were lost");
  assert.not.match(bare, "How the loss fell");
  const html = htmlReport([answered()]);
  assert.match(html, "Pictures that were lost");
  assert.is(count(html, /aria-label="Loss of (animals|trees)"/g), 2);
});

test.run();
