/** What notebooks show: a MIME bundle with HTML that stands alone, SVG in it, and text beside it. */
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  display,
  displayCurves,
  displayMatrices,
  displayRanks,
  displayReplies,
  displayTable,
  type Displayable,
  type MimeBundle,
} from "../../src/page/display.ts";
import { heatMap, heatMapText } from "../../src/page/heatMap.ts";
import { learned, openTags, still } from "../report/fixture.ts";

const results = [still, learned(1, 0)];

const bundle = (shown: Displayable): MimeBundle => (shown as unknown as Record<symbol, () => MimeBundle>)[Symbol.for("Jupyter.display")]();

const count = (text: string, what: RegExp): number => [...text.matchAll(what)].length;

for (const shows of [display, displayTable, displayMatrices, displayCurves, displayRanks, displayReplies]) {
  test("HTML that stands alone, and text, whatever the results", () => {
    for (const some of [results, [still], []]) {
      const shown = bundle(shows(some));
      assert.equal(Object.keys(shown), ["text/html", "text/plain"]);
      assert.equal(openTags(shown["text/html"]), []);
      assert.not.match(shown["text/html"], /<script|https?:|<b>|NaN|undefined|Infinity/);
      assert.not.match(shown["text/plain"], /NaN|undefined|Infinity/);
    }
  });
}

test("the matrices have a map a method: all cells of one that learns, the zero-shot row of one that does not", () => {
  const { "text/html": html, "text/plain": text } = bundle(displayMatrices(results));
  assert.is(count(html, /<svg /g), 2);
  assert.is(count(html, /<g class="cell/g), 3 + 12);
  // The diagonal, below the zero-shot row.
  assert.is(count(html, /class="framed"/g), 3);
  assert.match(html, "<title>after flags, animals: 45.0</title>");
  assert.match(text, /^codyra +animals +food <b>& +flags\nzero-shot +20\.0 +0\.0 +40\.0\nafter animals +60\.0 +0\.0 +40\.0$/m);
});

test("the ranks have a map a task: layers of the towers in rows, their linears in columns", () => {
  const { "text/html": html, "text/plain": text } = bundle(displayRanks(results));
  assert.is(count(html, /<svg /g), 3);
  assert.match(text, /^codyra after flags +q +fc1 +fc2\nvision 0 +3 +4 +–\ntext 1 +– +– +0$/m);
});

test("one map: colours by the domain, a hole for what was not measured, long column labels slanted", () => {
  const map = { title: "a & b", rows: ["x"], columns: ["low", "high", "a long label"], values: [[0, 10, null]], format: String };
  const svg = heatMap(map, [0, 10]);
  assert.is(count(svg, /class="cell v0"/g), 1);
  assert.is(count(svg, /class="cell v31"/g), 1);
  assert.is(count(svg, /class="cell"/g), 1);
  assert.is(count(svg, /rotate\(-45\)/g), 3);
  assert.is(count(heatMap({ ...map, columns: ["a", "b", "c"] }, [0, 10]), /rotate/g), 0);
  assert.match(svg, 'aria-label="a &amp; b"');
  assert.is(heatMapText(map), "a & b  low  high  a long label\nx        0    10             –");
});

test.run();
