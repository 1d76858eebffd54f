/** What the answers to single pictures tell: lost, won, and the classes that are taken for others. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { classRows, spreadOut, turned } from "../../src/page/answers.ts";
import type { DatasetAnswers } from "../../src/report/runReport.ts";
import { answered, reports } from "./reports.ts";

const [animals, trees] = answered().answers!;

test("lost is what was right once its task was learned and is wrong at the end; won is the reverse", () => {
  assert.equal(turned(animals), { lost: [0, 1], won: [3], rightThen: 3 });
  assert.equal(turned(trees), { lost: [], won: [], rightThen: 4 });
});

test("a picture that was not scored at both times is neither; without any there is nothing to tell", () => {
  assert.equal(turned({ ...animals, learned: [null, 0, 1, 1], last: [1, null, 1, 2] }), { lost: [], won: [3], rightThen: 1 });
  assert.equal(turned({ ...animals, learned: [null, null, null, null] }), { lost: [], won: [], rightThen: null });
  assert.equal(turned({ ...animals, ids: [], labels: [], learned: [], last: [] }), { lost: [], won: [], rightThen: null });
});

test("an answer by another class of the same name is right", () => {
  const shared: DatasetAnswers = { dataset: "d", classNames: ["cat", "dog", "Cat"], ids: ["0", "1"], labels: [0, 0], learned: [0, 2], last: [2, 1] };
  assert.equal(turned(shared), { lost: [1], won: [], rightThen: 2 });
  assert.equal(classRows(shared), [{ name: "cat", images: 2, learned: 100, last: 50, taken: { name: "dog", images: 1 } }]);
});

test("pictures that are shown are of as many classes as there are", () => {
  const some = { ...animals, labels: [7, 7, 7, 8, 9, 8] };
  assert.equal(spreadOut(some, [0, 1, 2, 3, 4, 5], 4), [0, 3, 4, 1]);
  assert.equal(spreadOut(some, [2, 1], 8), [2, 1]);
});

test("the worst classes come first, with what they are most often taken for", () => {
  assert.equal(classRows(animals), [
    { name: "cat", images: 2, learned: 100, last: 0, taken: { name: "dog", images: 2 } },
    { name: "dog", images: 1, learned: 100, last: 100 },
    { name: "cow", images: 1, learned: 0, last: 100 },
  ]);
  const unscored = { ...animals, learned: animals.ids.map(() => null), last: [null, null, 1, 0] };
  assert.equal(classRows(unscored), [
    { name: "cow", images: 1, learned: null, last: 0, taken: { name: "cat", images: 1 } },
    { name: "dog", images: 1, learned: null, last: 100 },
    { name: "cat", images: 2, learned: null, last: null },
  ]);
});

test("lost and won are different pictures, what was right is lost or right still, and every picture is in one class", () => {
  fc.assert(
    fc.property(reports, (runs) => {
      for (const answers of runs.flatMap((run) => run.answers ?? [])) {
        const { lost, won, rightThen } = turned(answers);
        assert.is(new Set([...lost, ...won]).size, lost.length + won.length);
        assert.ok((rightThen ?? 0) >= lost.length);
        const rows = classRows(answers);
        assert.is(
          rows.reduce((sum, { images }) => sum + images, 0),
          answers.ids.length,
        );
        for (const { learned, last } of rows) for (const x of [learned, last]) assert.ok(x === null || (x >= 0 && x <= 100));
        const shown = spreadOut(answers, lost, 8);
        assert.is(shown.length, Math.min(8, lost.length));
        assert.ok(shown.every((i) => lost.includes(i)));
      }
    }),
    { numRuns: 60 },
  );
});

test.run();
