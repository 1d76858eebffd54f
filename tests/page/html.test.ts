import { test } from "uvu";
import * as assert from "uvu/assert";
import { htmlReport } from "../../src/page/html.ts";
import { change } from "../../src/page/matrixTable.ts";
import { contrast, heatLevels, level, levels, lines, niceDomain } from "../../src/page/palette.ts";
import type { Theme } from "../../src/page/palette.ts";
import { modulePlace } from "../../src/page/rankTable.ts";
import { summarise } from "../../src/report/summary.ts";
import { learned, openTags, still } from "../report/fixture.ts";

const themes: readonly (readonly [Theme, string])[] = [
  ["light", "#fdfdfb"],
  ["dark", "#121618"],
];
const results = [still, learned(1, 0)];

test("contrast is that of WCAG", () => {
  assert.is(contrast("#000000", "#ffffff"), 21);
  assert.ok(Math.abs(contrast("rgb(119, 119, 119)", "#ffffff") - 4.48) < 0.01);
});

test("every level of a heat map is readable, and lightness runs one way", () => {
  for (const [theme, paper] of themes) {
    const colours = heatLevels(theme);
    assert.is(colours.length, levels);
    for (const c of colours) assert.ok(contrast(c.background, c.ink === "#000" ? "#000000" : "#ffffff") >= 4.5, JSON.stringify(c));
    const far = colours.map((c) => contrast(c.background, paper));
    far.slice(1).forEach((x, i) => assert.ok(x >= far[i] - 1e-9, `${theme} level ${i}`));
    for (const c of lines[theme]) assert.ok(contrast(c, paper) >= 3, `${theme} ${c}`);
  }
});

test("level and niceDomain", () => {
  assert.equal([-5, 0, 50, 100, 200].map(level([0, 100])), [0, 0, 16, 31, 31]);
  assert.is(level([5, 5])(5), 16);
  assert.equal(niceDomain([24.3, null, 89]), [20, 90]);
  assert.equal(niceDomain([null]), [0, 1]);
});

test("change compares with zero-shot up to the diagonal and with the diagonal below it", () => {
  const [s] = summarise([learned(1, 0)]);
  assert.equal(
    s.matrix.map((row, i) => row.map((_, j) => change(s, i, j))),
    [
      [40, 0, 0],
      [-10, 70, -10],
      [-15, -5, 40],
    ],
  );
});

test("modulePlace reads the names of both worlds", () => {
  assert.equal(modulePlace("vision_model.encoder.layers.11.self_attn.q_proj"), { tower: "Vision tower", layer: 11, part: "q" });
  assert.equal(modulePlace("text_model.encoder.layers.0.mlp.fc1.weight"), { tower: "Text tower", layer: 0, part: "fc1" });
  assert.equal(modulePlace("visual.transformer.resblocks.3.mlp.c_fc"), { tower: "Vision tower", layer: 3, part: "c_fc" });
  assert.equal(modulePlace("visual_projection"), { tower: "Vision tower", layer: null, part: "visual_projection" });
  assert.equal(modulePlace("head"), { tower: "Modules", layer: null, part: "head" });
});

test("the report stands alone, is well formed and escapes names", () => {
  const html = htmlReport(results, { title: "A <title>", facts: { Command: "a && b" } });
  assert.equal(openTags(html), []);
  assert.not.match(html, /<script|<link|<img|<iframe|@import|url\(|src=/);
  assert.not.match(html, /\bhttps?:/);
  assert.not.match(html, /<b>|NaN|undefined|\[object/);
  assert.match(html, "food &lt;b&gt;&amp;");
  assert.match(html, "<title>A &lt;title&gt;</title>");
  assert.match(html, "a &amp;&amp; b");
  assert.match(html, "prefers-color-scheme: dark");
});

test("the report shows each cell, marks the diagonal and draws each drop", () => {
  const html = htmlReport(results);
  assert.is([...html.matchAll(/class="v\d+ diag"/g)].length, 3);
  assert.match(html, 'title="animals after task 3 (flags): 45.0 %, \u221215.0 points against right after learning it"');
  assert.is([...html.matchAll(/<u style="width:100%">/g)].length, 1);
  assert.match(html, "vision_model.encoder.layers.0.self_attn.q_proj after task 3: rank 3");
  assert.is([...html.matchAll(/<svg viewBox="0 0 270 150"/g)].length, 3);
});

test("no results, one task and unmeasured cells are shown as what they are", () => {
  assert.equal(openTags(htmlReport([])), []);
  assert.match(htmlReport([]), "No results");
  const one = { ...learned(1, 0), datasets: ["a"], zeroShot: [null], matrix: [[0]], forgetting: null, perDataset: still.perDataset };
  const html = htmlReport([one]);
  assert.equal(openTags(html), []);
  assert.not.match(html, /NaN|undefined|Infinity/);
});

test.run();
