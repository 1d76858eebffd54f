/** Tables for other programs: names that mean something there come through whole, and every number too. */
import fc from "fast-check";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { csvTable, matrixCsv } from "../../src/report/csv.ts";
import { latexRows, latexTable, markdownRows, markdownTable, matrixLatex, matrixMarkdown } from "../../src/report/markup.ts";
import type { RunResult } from "../../src/report/result.ts";
import { summarise } from "../../src/report/summary.ts";
import { learned, ran, still } from "./fixture.ts";

const rows = [
  [60, 20],
  [40, 80],
];
const named = (name: string): RunResult => ran("m", rows, { title: name, matrix: { datasets: [name, "plain"], rows } });

/** What stands in CSV by RFC 4180. */
const parsed = (csv: string): readonly (readonly string[])[] => {
  assert.ok(csv.endsWith("\r\n"));
  const table: string[][] = [[]];
  for (const [, quoted, bare, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    table.at(-1)!.push(quoted === undefined ? bare : quoted.replaceAll('""', '"'));
    if (end !== ",") table.push([]);
  }
  return table.slice(0, -1);
};

const names = fc.oneof(fc.string(), fc.string({ unit: "grapheme" }), fc.constantFrom('"', "a,b", "a\r\nb", "=1+1", "🦊🦊", "x".repeat(400)));

test("CSV gives back every name and every number", () => {
  fc.assert(
    fc.property(names, (name) => {
      const [head, ...body] = parsed(matrixCsv(summarise([named(name)])[0]));
      assert.equal(head, ["after", name, "plain", "mean"]);
      assert.equal(body[1], [name, "60", "20", "40"]);
      const [heads, , row] = parsed(csvTable([named(name)]));
      assert.is(row[heads.indexOf("label")], name);
      assert.is(row.length, heads.length);
    }),
  );
});

test("CSV has a row a method and label space, with every metric as mean and deviation", () => {
  const also = { union: { zeroShot: [10, 10], matrix: { datasets: ["task 1", "task 2"], rows } } };
  const probes = [{ name: "birds", classes: 10, images: 100, chance: 10, zeroShot: 40, after: [30, 25] }];
  const [head, ...body] = parsed(
    csvTable([1, 2].map((seed) => ran("codyra", rows, { seed, seconds: 10 * seed, chance: [10, 10], bytesKept: 7, also, probes }))),
  );
  const all = body.map((row) => Object.fromEntries(head.map((name, i) => [name, row[i]])));
  assert.equal(
    all.map((row) => [row.label, row.label_space, row.seeds]),
    [
      ["chance", "task", "0"],
      ["zero-shot", "task", "0"],
      ["zero-shot, union", "union", "0"],
      ["codyra", "task", "2"],
      ["codyra, union", "union", "2"],
    ],
  );
  const [chance, , , task, union] = all;
  assert.equal([chance.learned, chance.last, chance["probe birds"], chance.seconds], ["", "10", "10", ""]);
  assert.equal([task.method, task.tasks, task.learned, task.learned_sd, task.gain_kept, task.bwt], ["codyra", "task 1 \u2192 task 2", "70", "0", "80", "-20"]);
  assert.equal([task["probe birds"], task["probe birds_sd"], task.trainable_parameters, task.bytes_kept], ["25", "0", "1000", "7"]);
  assert.equal([task.seconds, task.seconds_sd], ["15", String(Math.sqrt(50))]);
  assert.equal([union.fwt, union.learned], ["10", "70"]);
});

test("markdownTable has one cell a column in every row, and below it what is to be said", () => {
  const [table, said] = markdownTable([still, learned(1, 0)]).split("\n\n");
  const lines = table.split("\n");
  assert.equal(
    lines.map((line) => line.split("|").length),
    [12, 12, 12, 12],
  );
  assert.match(lines[1], /^\| -+ \| -+: \|/);
  assert.is(said, "codyra keeps 87 % of the 50.0 points it gained on this stream with the task given.");
});

const two = [0, 1].flatMap((seed) => [
  ran("a_1", rows, { seed }),
  ran(
    "b",
    [
      [60, 20],
      [30 + seed, 80],
    ],
    { seed },
  ),
]);

test("bold is what leads, in Markdown and LaTeX", () => {
  const [, , , a, b] = markdownTable(two).split("\n");
  assert.match(a, /^\| a\\_1 +\| +70\.0 ± 0\.0 \| \*\*80\.0\*\* ± 0\.0 \| /);
  assert.not.match(b, /\*/);
  assert.match(latexTable(two), /\na\\_1 & 70\.0 \$\\pm\$ 0\.0 & \\textbf\{80\.0\} \$\\pm\$ 0\.0 & /);
  for (const table of [markdownTable(two), latexTable(two)]) assert.match(table, "Bold: more than two standard deviations");
});

test("where nothing leads, no rule of what is bold stands below", () => {
  const alike = two.map((result, i) => ({ ...result, method: ["a", "a", "b", "b"][i], matrix: two[i % 2].matrix }));
  for (const table of [markdownTable(alike), latexTable(alike)]) assert.not.match(table, "Bold:");
});

test("awkward names stay in their cell, in Markdown", () => {
  const name = "a|b & <i>*x* _y_ `z` [q](r) ~~s~~ $t$ \\ \n#";
  const [table] = markdownTable([named(name)]).split("\n\n");
  assert.equal(table.split("\n").length, 4);
  assert.match(table, "a\\|b \\& \\<i\\>\\*x\\* \\_y\\_ \\`z\\` \\[q\\](r) \\~\\~s\\~\\~ \\$t\\$ \\\\ \\\\u000a#");
  fc.assert(
    fc.property(names, (some) => {
      const lines = matrixMarkdown(summarise([named(some)])[0]).split("\n");
      const cells = lines.map((line) => line.replace(/\\./g, "").split("|").length);
      assert.equal(
        cells,
        lines.map(() => 6),
      );
    }),
  );
});

test("so do awkward texts of any cell", () => {
  const texts = [
    ["wrong as", "how often"],
    ["a|b", "c|d & e\n"],
  ];
  assert.is(markdownRows(texts).split("\n")[2], "| a\\|b     | c\\|d \\& e\\\\u000a |");
  assert.match(latexRows(texts), "\na\\textbar{}b & c\\textbar{}d \\& e\\textbackslash{}u000a \\\\\n");
});

test("awkward names stay what they are, in LaTeX", () => {
  const name = "_%&#{}$~^\\ <|> [*] \u00b1 \u2212 \n";
  const table = latexTable([named(name)]);
  const set =
    "\\_\\%\\&\\#\\{\\}\\$\\textasciitilde{}\\textasciicircum{}\\textbackslash{} \\textless{}\\textbar{}\\textgreater{} {[}{*}{]} $\\pm$ $-$ \\textbackslash{}u000a &";
  assert.ok(table.includes(`\\midrule\n${set}`), table);
  fc.assert(
    fc.property(names, (some) => {
      const lines = matrixLatex(summarise([named(some)])[0]).split("\n");
      const cells = lines.filter((line) => line.endsWith(" \\\\")).map((line) => line.replace(/\\[&\\]/g, "").split("&").length);
      assert.equal(
        cells,
        cells.map(() => 4),
      );
      assert.is(lines.length, 17);
    }),
  );
});

test("a matrix has its zero-shot row, the rows after tasks and the metrics of each dataset", () => {
  const [s] = summarise([ran("m", rows)]);
  assert.is(
    matrixCsv(s),
    "after,task 1,task 2,mean\r\nzero-shot,20,20,20\r\ntask 1,60,20,40\r\ntask 2,40,80,60\r\nGain kept,50,100,80\r\nTransfer,,20,20\r\nAverage,50,50,50\r\nLast,40,80,60\r\nForgetting,20,,20\r\n",
  );
  assert.match(matrixMarkdown(s), /^\| After {6}\| task 1 \| task 2 \| mean \|\n\| -+ \| -+: \| -+: \| -+: \|\n\| zero-shot +\| +20\.0 \|/);
  assert.match(
    matrixLatex(s),
    "\\begin{tabular}{lrrr}\n\\toprule\nAfter & task 1 & task 2 & mean \\\\\n\\midrule\nzero-shot & 20.0 & 20.0 & 20.0 \\\\\n\\midrule\n",
  );
  // A model that learns nothing has no rows after tasks.
  assert.is(matrixCsv(summarise([still])[0]).split("\r\n").length, 1 + 1 + 5 + 1);
});

test("no results and several streams", () => {
  assert.equal([markdownTable([]), latexTable([])], ["", ""]);
  assert.is(parsed(csvTable([])).length, 1);
  const streams = [named("a*"), ran("m", rows)];
  assert.match(markdownTable(streams), /^a\\\* → plain\n\n\| Method[\s\S]*\n\ntask 1 → task 2\n\n\| Method/);
  assert.match(latexTable(streams), /^% a\* → plain\n\n% \\usepackage/);
  assert.is(parsed(csvTable(streams)).length, 5);
});

test.run();
