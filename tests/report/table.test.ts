import { test } from "uvu";
import * as assert from "uvu/assert";
import { count, duration, escapeHtml, fixed, signed } from "../../src/report/format.ts";
import { spread, summarise } from "../../src/report/summary.ts";
import { markdownTable, textTable } from "../../src/report/table.ts";
import { learned, still } from "./fixture.ts";

test("format", () => {
  assert.equal([1.25, -0.04, -3, null].map(fixed(1)), ["1.3", "0.0", "\u22123.0", "\u2013"]);
  assert.equal([2, -2, 0.04, -0.04, null].map(signed), ["+2.0", "\u22122.0", "0.0", "0.0", "\u2013"]);
  assert.equal([0, 999, 1000, 4425984].map(count), ["0", "999", "1,000", "4,425,984"]);
  assert.equal([0.04, 9.96, 59.6, 185, 7620].map(duration), ["0.0 s", "10 s", "1 min 00 s", "3 min 05 s", "2 h 07 min"]);
  assert.is(escapeHtml(`<a href="x">'&`), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
});

test("spread is the sample standard deviation", () => {
  assert.equal(spread([1, 2, 3]), { mean: 2, std: 1 });
  assert.equal(spread([5]), { mean: 5, std: null });
  assert.equal(spread([5, null]), { mean: null, std: null });
  assert.equal(spread([]), { mean: null, std: null });
});

test("summarise joins seeds, and keeps options and their order apart", () => {
  const seeds = summarise([still, learned(1, 0), learned(2, 10)]);
  assert.equal(
    seeds.map((s) => s.label),
    ["zero-shot", "codyra"],
  );
  assert.is(seeds[1].runs.length, 2);
  assert.is(seeds[1].matrix[0][0], 65);
  assert.is(seeds[1].metrics.forgetting.mean, 12.5);
  assert.is(seeds[1].metrics.transfer.std, 0);
  const options = summarise([learned(1, 0, { steps: 20, rank: 4 }), learned(1, 0, { rank: 4, steps: 200 }), learned(2, 0, { rank: 4, steps: 20 })]);
  assert.equal(
    options.map((s) => s.label),
    ["codyra steps=20", "codyra steps=200"],
  );
  assert.equal(
    options.map((s) => s.runs.length),
    [2, 1],
  );
});

test("textTable is aligned", () => {
  assert.is(
    textTable([still, learned(1, 0)]),
    [
      "Method     Transfer  Average  Last  Forgetting  Trainable  Mean rank        Time",
      "\u2500".repeat(80),
      "zero-shot      20.0     20.0  20.0         0.0          \u2013          \u2013       2.0 s",
      "codyra         17.5     48.9  63.3        10.0  4,425,984        2.0  1 min 15 s",
    ].join("\n"),
  );
});

test("textTable of several seeds shows mean and spread below each other", () => {
  const lines = textTable([still, learned(1, 0), learned(2, 10)]).split("\n");
  assert.match(lines[3], "12.5 \u00b1 3.5");
  assert.is(lines[2].indexOf("20.0"), lines[3].indexOf("17.5"));
  assert.is(lines[4], "mean \u00b1 sample standard deviation over 2 seeds");
});

test("markdownTable has one cell a column in every row", () => {
  const lines = markdownTable([still, learned(1, 0)]).split("\n");
  assert.equal(
    lines.map((line) => line.split("|").length),
    [10, 10, 10, 10],
  );
  assert.match(lines[1], /^\| -+ \| -+: \|/);
});

test("no results give a table without rows", () => {
  assert.is(textTable([]).split("\n").length, 2);
});

test.run();
