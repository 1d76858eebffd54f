import { test } from "uvu";
import * as assert from "uvu/assert";
import { htmlReport } from "../../src/page/html.ts";
import { change } from "../../src/page/matrixTable.ts";
import { contrast, heatLevels, level, levels, lines, niceDomain } from "../../src/page/palette.ts";
import type { Theme } from "../../src/page/palette.ts";
import { modulePlace } from "../../src/page/rankTable.ts";
import { styleSheet } from "../../src/page/style.ts";
import { summarise } from "../../src/report/summary.ts";
import { learned, openTags, ran, still } from "../report/fixture.ts";

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

test("the name of a label space is text, too", () => {
  const matrix = {
    datasets: ["task 1", "task 2"],
    rows: [
      [60, 20],
      [40, 80],
    ],
  };
  const html = htmlReport([
    ran("m", matrix.rows, { labelSpace: "<b>own</b>", chance: [10, 10], also: { "<i>other</i>": { zeroShot: [20, 20], matrix, chance: [5, 5] } } }),
  ]);
  assert.not.match(html, /<b>|<i>o/);
  assert.match(html, "by &lt;i&gt;other");
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

/** The text of a piece of HTML. */
const words = (html: string): string =>
  html
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

const count = (html: string, what: RegExp): number => [...html.matchAll(what)].length;

test("every rule of the style sheet is about the page alone, so that a notebook keeps its own looks", () => {
  const flat = styleSheet.replace(/@(media|container)[^{]*\{/g, "");
  const selectors = [...flat.matchAll(/([^{}]+)\{[^{}]*\}/g)].flatMap(([, list]) => list.split(",").map((selector) => selector.trim()));
  assert.ok(selectors.length > 100);
  for (const selector of selectors) assert.match(selector, /^\.cambium\b/);
});

test("text and marks are readable on both papers", () => {
  for (const [, paper, colours] of styleSheet.matchAll(/color-scheme:\w+;--paper:(#\w+);([^}]*)/g)) {
    const value = (name: string): string => new RegExp(`--${name}:(#\\w+)`).exec(colours)![1];
    for (const name of ["ink", "soft", "told"]) assert.ok(contrast(value(name), paper) >= 4.5, `${name} on ${paper}`);
    assert.ok(contrast(value("soft"), value("faint")) >= 4.5, `soft on faint on ${paper}`);
    assert.ok(contrast(value("drop"), paper) >= 3, `drop on ${paper}`);
  }
});

const grid = [
  [60, 40],
  [50, 70],
];
const union = { zeroShot: [10, 20], matrix: { datasets: ["task 1", "task 2"], rows: grid }, chance: [5, 5] };
const rows = [
  ran(
    "zero-shot",
    [
      [20, 20],
      [20, 20],
    ],
    { trainableParameters: 0, chance: [10, 10], also: { union } },
  ),
  ran("codyra", grid, { chance: [10, 10], also: { union } }),
];

test("the comparison is one wide table, and the same values in narrow ones; other label spaces stand below their method", () => {
  const html = htmlReport(rows);
  const tables = [...html.matchAll(/<table class="summary (wide|narrow)">([\s\S]*?)<\/table>/g)].map(([, kind, table]) => ({ kind, table }));
  assert.is(tables.filter(({ kind }) => kind === "wide").length, 1);
  const [wide] = tables;
  const heads = (table: string): readonly string[] => [...table.matchAll(/<th scope="col"[^>]*>(.*?)<\/th>/g)].map(([, name]) => name);
  assert.equal(heads(wide.table).slice(0, 4), ["Method", "Among", "Learned", "Gain kept"]);
  const narrow = tables.slice(1).flatMap(({ table }) => heads(table));
  assert.equal(
    narrow.filter((name) => name !== "Among"),
    heads(wide.table).slice(2),
  );
  const bodies = [...wide.table.matchAll(/<tbody( class="quiet")?>([\s\S]*?)<\/tbody>/g)];
  assert.equal(
    bodies.map(([, quiet, body]) => [
      quiet !== undefined,
      words(body)
        .split(" \u2013")[0]
        .replace(/ [\d.].*/, ""),
    ]),
    [
      [true, "chance its task"],
      [true, "zero-shot its task"],
      [false, "codyra its task"],
    ],
  );
  for (const [, , body] of bodies) assert.is(count(body, /all tasks/g), 1);
  assert.match(words(bodies[2][2]), /codyra its task 65\.0 .* all tasks 65\.0/);
});

test("the bars show what is left of what was learned, below the sentence that says it", () => {
  const html = htmlReport(rows);
  assert.match(html, /<p class="verdict">codyra keeps .*<\/p>\n<div class="gains">/);
  // 60 of 65 on a scale that ends at 70, from 20.
  assert.match(html, '<i style="width:85.7%"></i><u style="left:85.7%;width:7.1%"></u><s style="left:28.6%"></s>');
  assert.match(html, "60.0 <small>of 65.0</small>");
  assert.not.match(htmlReport([rows[0]]), /class="(gains|verdict)"/);
});

test("heat maps begin at 0, and next to nothing lost is no bar", () => {
  const html = htmlReport([
    ran("codyra", [
      [90, 80],
      [89.99, 90],
    ]),
  ]);
  assert.match(html, /<span>0\u2009%<span class="ramp"/);
  assert.not.match(html, /<u style/);
  assert.match(
    htmlReport([
      ran(
        "m",
        [
          [0, 0],
          [0, 0],
        ],
        { zeroShot: [0, 0] },
      ),
    ]),
    /<td class="v0"/,
  );
});

test("options are said in words, also those that were left open; many of them on demand", () => {
  const html = htmlReport([
    ran("codyra", grid, { options: { rank: 4, shots: null, evalLimit: null, evaluate: { also: ["union", "seen"] }, none: [], nothing: undefined } }),
  ]);
  assert.match(words(html), "rank 4 evaluate.also union, seen none none not set: shots, evalLimit");
  const many = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`option${i}`, i]));
  assert.match(htmlReport([ran("codyra", grid, { options: many })]), "<summary>15 options</summary>");
});

test("seeds are means with a band, and a table of single runs on demand", () => {
  const html = htmlReport([learned(1, 0), learned(2, 6)]);
  assert.match(html, "The matrix is the mean of 2 runs");
  assert.match(html, "<summary>Matrix of seed 2</summary>");
  assert.ok(count(html, /class="band"/g) > 0);
  assert.not.match(htmlReport([learned(1, 0)]), /class="band"|single runs/);
});

test("an interrupted run, joint training and a run on several streams are shown as far as they go", () => {
  const stopped = { ...ran("codyra", grid), matrix: [[60, 40]] };
  const joint = ran("joint", [
    [null, null],
    [70, 80],
  ]);
  const html = htmlReport([stopped, joint, learned(1, 0)]);
  assert.equal(openTags(html), []);
  assert.match(html, "all at once");
  assert.is(count(html, /<table class="summary wide">/g), 2);
  assert.is(count(html, /id="method-\d+"/g), 3);
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
